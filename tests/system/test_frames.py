"""Requests that no client library sends, over a socket to the real server: broken frames, odd methods, slow bodies."""

import json
import re
import socket

import pytest

END = b"Host: 127.0.0.1\r\nConnection: close\r\n\r\n"
JSON = b"Content-Type: application/json\r\n"


def send(api: str, raw: bytes, *, ends: bool = False) -> tuple[int, dict[str, str], bytes]:
    """Send bytes, and nothing more if it `ends`. Return the status, headers and body of the answer."""
    host, port = api.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(raw)
        if ends:
            connection.shutdown(socket.SHUT_WR)
        received = b"".join(iter(lambda: connection.recv(65536), b""))
    head, _, body = received.partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    if headers.get("transfer-encoding") == "chunked":
        body = b"".join(re.findall(rb"[0-9a-fA-F]+\r\n(.*?)\r\n", body, re.DOTALL))
    return int(status.split()[1]), headers, body


FRAMES = {
    "truncated": (b"POST /users HTTP/1.1\r\n" + JSON + b"Content-Length: 50\r\n" + END + b"{}", 400),
    "nothing of a body": (b"DELETE /users/x HTTP/1.1\r\n" + JSON + b"Content-Length: 50\r\n" + END, 401),
    "too long": (b"POST /users HTTP/1.1\r\n" + JSON + b"Content-Length: 99999999999\r\n" + END, 413),
    "chunked": (b"POST /users HTTP/1.1\r\n" + JSON + b"Transfer-Encoding: chunked\r\n" + END + b"0\r\n\r\n", 411),
    "length and chunks": (
        b"POST /users HTTP/1.1\r\n"
        + JSON
        + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n"
        + END
        + b"0\r\n\r\n",
        411,
    ),
    "a length that is spelt wrong": (b"POST /users HTTP/1.1\r\nContent_Length: 5\r\n" + JSON + END, 422),
    "compressed": (
        b"POST /users HTTP/1.1\r\nContent-Encoding: gzip\r\n" + JSON + b"Content-Length: 2\r\n" + END + b"{}",
        415,
    ),
    "TRACE": (b"TRACE /users HTTP/1.1\r\n" + END, 405),
    "CONNECT": (b"CONNECT example.com:443 HTTP/1.1\r\n" + END, 405),
    "a made-up method": (b"MADEUP /users HTTP/1.1\r\n" + END, 405),
    "OPTIONS *": (b"OPTIONS * HTTP/1.1\r\n" + END, 404),
    "bad UTF-8 in the path": (b"GET /products/%ff%fe HTTP/1.1\r\n" + END, 404),
    "bad UTF-8 in the query": (b"GET /products?status=%ff HTTP/1.1\r\n" + END, 422),
    "a line break in the path": (b"GET /products/%0d%0aSet-Cookie:%20a=b HTTP/1.1\r\n" + END, 404),
    "NUL in the path": (b"GET /products/%00 HTTP/1.1\r\n" + END, 404),
    "a long path": (b"GET /products/" + b"a" * 9000 + b" HTTP/1.1\r\n" + END, 414),
    "another host": (b"GET /health HTTP/1.1\r\nHost: evil.example.com\r\nConnection: close\r\n\r\n", 400),
    "no host": (b"GET /health HTTP/1.1\r\nConnection: close\r\n\r\n", 400),
    "HTTP/1.0": (b"GET /health HTTP/1.0\r\n\r\n", 400),
    "another host's URL": (b"GET http://evil.example.com/health HTTP/1.1\r\n" + END, 200),
    "a good one": (b"GET /health HTTP/1.1\r\n" + END, 200),
}


def test_every_frame_is_answered_in_the_envelope(api: str, subtests: pytest.Subtests) -> None:
    for name, (raw, expected) in FRAMES.items():
        with subtests.test(name):
            status, headers, body = send(api, raw, ends=name in ("truncated", "nothing of a body"))
            assert status == expected
            assert headers["content-type"] == "application/json"
            assert "x-request-id" in headers
            assert "set-cookie" not in headers
            assert expected == 200 or set(json.loads(body)["error"]) >= {"code", "message"}


def test_head_is_get_without_the_body(api: str, subtests: pytest.Subtests) -> None:
    leave_out = {"date", "x-request-id", "content-length", "transfer-encoding", "ratelimit"}
    for path in ("/", "/health", "/products", "/products/x", "/users", "/nothing", "/schema", "/docs"):
        with subtests.test(path):
            get = send(api, b"GET " + path.encode() + b" HTTP/1.1\r\n" + END)
            head = send(api, b"HEAD " + path.encode() + b" HTTP/1.1\r\n" + END)
            assert head[0] == get[0]
            assert head[2] == b""
            assert get[2]
            kept = [{name: value for name, value in one[1].items() if name not in leave_out} for one in (get, head)]
            assert kept[0] == kept[1]


# What granian's HTTP library refuses by itself: it never becomes a request of ours, so it has no envelope.
REFUSED = {
    "two lengths": (b"POST /users HTTP/1.1\r\nContent-Length: 2\r\nContent-Length: 3\r\n" + END + b"{}", 400),
    "a length that is none": (b"POST /users HTTP/1.1\r\nContent-Length: abc\r\n" + END + b"{}", 400),
    "bytes in the path": (b"GET /\xff\xfe HTTP/1.1\r\n" + END, 400),
    "a URL over 64 KiB": (b"GET /?x=" + b"a" * 70_000 + b" HTTP/1.1\r\n" + END, 414),
    "more than 100 headers": (b"GET / HTTP/1.1\r\n" + b"X: a\r\n" * 101 + END, 431),
    "no HTTP": (b"\x16\x03\x01\x00hello\r\n\r\n", 400),
}


def test_what_is_no_request_is_refused(api: str, subtests: pytest.Subtests) -> None:
    for name, (raw, expected) in REFUSED.items():
        with subtests.test(name):
            status, _, body = send(api, raw)
            assert (status, body) == (expected, b"")


def test_a_client_that_waits_for_leave_gets_it(api: str) -> None:
    host, port = api.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(
            b"POST /auth/revoke HTTP/1.1\r\n" + JSON + b"Expect: 100-continue\r\nContent-Length: 2\r\n" + END
        )
        assert connection.recv(100).startswith(b"HTTP/1.1 100 Continue")
        connection.sendall(b"{}")
        assert b"422" in connection.recv(100)
    too_long = b"POST /users HTTP/1.1\r\n" + JSON + b"Expect: 100-continue\r\nContent-Length: 2000000\r\n" + END
    assert send(api, too_long)[0] == 413  # without leave to send it
