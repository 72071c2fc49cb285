"""Settings and the environment: `.env.example` is complete, and without DEBUG nothing starts without a key."""

import ast
import os
import re
import shutil
import subprocess
import sys

import pytest
from django.conf import settings
from django.core.checks import run_checks


def names_read_by_settings() -> set[str]:
    source = (settings.BASE_DIR / "marketplace" / "settings.py").read_text()
    return {
        node.args[0].value
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func).startswith("env.")
        and isinstance(node.args[0], ast.Constant)
    }


def explained_names() -> list[str]:
    """Return the names in `.env.example`. Each must directly follow a comment that explains it."""
    text = (settings.BASE_DIR / ".env.example").read_text()
    return re.findall(r"^# .+\n(?:# )?([A-Z_]+)=", text, re.MULTILINE)


def test_example_explains_exactly_the_variables_that_are_read():
    compose = (settings.BASE_DIR / "docker-compose.yml").read_text()
    only_compose = set(re.findall(r"\$\{([A-Z_]+)", compose)) - names_read_by_settings()

    assert sorted(explained_names()) == sorted(names_read_by_settings() | only_compose)


def test_no_variable_of_the_example_lacks_an_explanation():
    text = (settings.BASE_DIR / ".env.example").read_text()

    assert re.findall(r"^(?:# )?([A-Z_]+)=", text, re.MULTILINE) == explained_names()


def test_compose_passes_on_every_variable():
    """Those that it leaves out are the image's, for a developer's machine, or for brokers other than its own."""
    compose = (settings.BASE_DIR / "docker-compose.yml").read_text()
    passed = set(re.findall(r"^    ([A-Z_]+): ", compose, re.MULTILINE))

    assert names_read_by_settings() - passed == {"DEBUG", "DATA_DIR", "KAFKA_OPTIONS", "METRICS_HOST", "METRICS_PORT"}


def import_settings(tmp_path, then="", **environment: str) -> subprocess.CompletedProcess[str]:
    """Import a copy of the settings in a new process: no `.env` beside it, nothing of ours in its environment."""
    (tmp_path / "marketplace").mkdir(exist_ok=True)
    for name in ("settings.py", "environment.py", "logging_settings.py", "roles.py"):
        shutil.copy(settings.BASE_DIR / "marketplace" / name, tmp_path / "marketplace")
    inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-c", f"from marketplace import settings; {then}"],
        env={**inherited, **environment},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("environment", [{}, {"SECRET_KEY": ""}, {"DEBUG": "false"}])
def test_missing_secret_key_stops_the_process(tmp_path, environment):
    done = import_settings(tmp_path, **environment)

    assert done.returncode != 0
    assert "SECRET_KEY is not set" in done.stderr


def test_development_gets_a_key_that_survives_a_restart(tmp_path):
    import_settings(tmp_path, DEBUG="true")
    key = (tmp_path / ".marketplace" / "secret_key").read_text()
    done = import_settings(tmp_path, DEBUG="true")

    assert done.returncode == 0, done.stderr
    assert len(key) >= 50
    assert (tmp_path / ".marketplace" / "secret_key").read_text() == key


@pytest.mark.parametrize("key", ["k" * 50, "$" + "k" * 49])
def test_secret_key_from_the_environment_is_enough(tmp_path, key):
    done = import_settings(tmp_path, "print(settings.SECRET_KEY)", SECRET_KEY=key)

    assert done.stdout.strip() == key, done.stderr


def test_no_former_key_is_empty(tmp_path):
    """A comma too many would let anybody sign."""
    done = import_settings(
        tmp_path, "print(settings.SECRET_KEY_FALLBACKS)", SECRET_KEY="k", SECRET_KEY_FALLBACKS="$a,,b,"
    )

    assert done.stdout.strip() == "['$a', 'b']", done.stderr


def test_options_of_the_database_url_are_kept(tmp_path):
    show = "print(settings.DATABASES['default']['OPTIONS'])"
    url = "mysql://a:b@db/c?ssl_mode=REQUIRED"
    done = import_settings(tmp_path, show, SECRET_KEY="k" * 50, DATABASE_URL=url)

    assert "'ssl_mode': 'REQUIRED'" in done.stdout
    assert "'charset': 'utf8mb4'" in done.stdout


def test_the_image_gets_every_app():
    allowed = (settings.BASE_DIR / ".dockerignore").read_text().splitlines()
    ours = {name.partition(".")[0] for name in settings.INSTALLED_APPS if (settings.BASE_DIR / name).is_dir()}

    assert {f"!{name}" for name in ours} <= set(allowed)


# --- Values that make no sense, and what production wants ---

PRODUCTION = {
    "SECRET_KEY": "Zq3!" + "".join(chr(97 + number % 26) for number in range(60)),
    "ALLOWED_HOSTS": "shop.example.com",
    "CORS_ALLOWED_ORIGINS": "",
}


def manage(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run manage.py with these variables and nothing else of ours."""
    inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(
        command, cwd=settings.BASE_DIR, env=inherited | environment, capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LOG_LEVEL", "loud"),
        ("MONGODB_TIMEOUT_MS", "soon"),
        ("MONGODB_TIMEOUT_MS", "-1"),
        ("STAFF_LOGIN_FAILURES", "0"),
        *[("LOG_FORMAT", "xml"), ("TRACES_SHARE", "2"), ("TRACES_ENDPOINT", "collector:4318")],
        *[
            ("DATABASE_URL", url)
            for url in ("nonsense", "pg://u:geheim@h/d", "mysql://u:geheim@h:x/d", "mysql://", "://")
        ],
        *[("MONGODB_URL", url) for url in ("nonsense", "mongodb://u:gehe@im@h/", "mongodb://u:geheim@h:x/")],
        *[
            ("CORS_ALLOWED_ORIGINS", origin)
            for origin in ("*", "null", "shop.example.com", "https://", "ftp://a.example.com", "https://a.example.com/")
        ],
        *[
            ("CORS_ALLOWED_ORIGINS", origin)
            for origin in (
                "https://*.example.com",
                "https://A.example.com",
                "https://a.example.com:x",
                "https://u@a.com",
            )
        ],
    ],
)
def test_nonsense_is_named_in_one_line(tmp_path, name, value):
    done = manage("check", DEBUG="true", DATA_DIR=str(tmp_path), **{name: value})

    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert line.startswith(f"manage.py: {name}")
    assert "geheim" not in line


def test_origins_are_a_list(tmp_path):
    origins = "https://a.example.com, http://localhost:3000,http://[::1]:3000"
    done = import_settings(tmp_path, "print(settings.CORS_ALLOWED_ORIGINS)", DEBUG="1", CORS_ALLOWED_ORIGINS=origins)

    assert done.stdout.strip() == str([one.strip() for one in origins.split(",")]), done.stderr


def test_production_settings_pass_every_check(tmp_path):
    done = manage("check", "--deploy", "--fail-level", "WARNING", DATA_DIR=str(tmp_path), **PRODUCTION)

    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("ALLOWED_HOSTS", [], "ALLOWED_HOSTS is empty"),
        ("CORS_IS_DECIDED", False, "CORS_ALLOWED_ORIGINS is not set"),
        ("ALLOWED_HOSTS", ["*"], "ALLOWED_HOSTS takes any host"),
        *[
            ("ALLOWED_HOSTS", ["shop.example.com", host], f"ALLOWED_HOSTS has {host}, which no request can match")
            for host in ("https://a.example.com", "a.example.com:443", "a.example.com/a", "*.example.com", "::1", ".")
        ],
        ("TRUST_IDENTITY_HEADERS", True, "TRUST_IDENTITY_HEADERS is on"),
    ],
)
def test_checks_name_what_production_lacks(monkeypatch, name, value, said):
    monkeypatch.setattr(settings, name, value)

    assert said in str(run_checks(include_deployment_checks=True))


def test_hosts_that_requests_can_match(monkeypatch):
    hosts = ["shop.example.com", ".Example.com", "localhost", "127.0.0.1", "[::1]"]
    monkeypatch.setattr(settings, "ALLOWED_HOSTS", hosts)

    assert "ALLOWED_HOSTS" not in str(run_checks(include_deployment_checks=True))


@pytest.mark.parametrize(
    ("name", "value"), [("ALLOWED_HOSTS", []), ("ALLOWED_HOSTS", ["https://a.b"]), ("CORS_IS_DECIDED", False)]
)
def test_the_api_does_not_start_without_them_but_commands_do(tmp_path, name, value):
    environment = PRODUCTION | {"DATA_DIR": str(tmp_path), "PATH": os.environ["PATH"]}
    lacking = f"from marketplace import settings; settings.{name} = {value}"
    done = {
        what: subprocess.run(
            [sys.executable, "-W", "ignore", "-c", f"{lacking}; {what}"],
            cwd=settings.BASE_DIR,
            env={"DJANGO_SETTINGS_MODULE": "marketplace.settings", **environment},
            capture_output=True,
            text=True,
            timeout=60,
        )
        for what in ("import marketplace.wsgi", "import django; django.setup()")
    }

    serve, command = done.values()
    [line] = serve.stderr.splitlines()
    assert line.startswith(name.replace("IS_DECIDED", "ALLOWED_ORIGINS"))
    assert (serve.returncode, command.returncode) == (1, 0)


@pytest.mark.parametrize(
    ("environment", "hsts"),
    [
        ({}, (31_536_000, False, False)),
        ({"HSTS_SECONDS": "300", "HSTS_INCLUDE_SUBDOMAINS": "true", "HSTS_PRELOAD": "true"}, (300, True, True)),
        ({"HTTPS_ONLY": "false"}, (0, False, False)),
    ],
)
def test_other_hosts_of_the_domain_are_left_alone_unless_asked(tmp_path, environment, hsts):
    names = ("SECONDS", "INCLUDE_SUBDOMAINS", "PRELOAD")
    show = f"print(({', '.join(f'settings.SECURE_HSTS_{name}' for name in names)}))"
    done = import_settings(tmp_path, show, SECRET_KEY="k" * 50, **environment)

    assert done.stdout.strip() == str(hsts), done.stderr
