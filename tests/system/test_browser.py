"""The pages in a real browser: they work, from this origin alone, and the Content-Security-Policy stops none of it.

Needs Chromium and its driver (Debian: chromium, chromium-driver).
"""

import json
import shutil
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.contrib.auth import get_user_model
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from tests.analytics.letters import bad_letter
from tests.api import new_post, new_product, new_supplier, new_user

pytestmark = pytest.mark.skipif(
    not (shutil.which("chromium") and shutil.which("chromedriver")),
    reason="neither Chromium nor its driver is installed",
)

PASSWORD = "a staff password"
SECONDS = 30


class Browser:
    """A headless Chromium that keeps everything its console says."""

    def __init__(self, driver: webdriver.Chrome, origin: str) -> None:
        self.driver = driver
        self.origin = origin

    def open(self, path: str) -> None:
        self.driver.get(self.origin + path)

    def find(self, css: str) -> Any:
        """Return the first element, once it is there."""
        return WebDriverWait(self.driver, SECONDS).until(lambda driver: driver.find_element(By.CSS_SELECTOR, css))

    def complaints(self) -> list[str]:
        """Return what the console has said since the last time."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def hosts(self) -> set[str]:
        """Return the hosts that anything was asked from since the last time, whether it was let through or not."""
        said = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        urls = [one["params"]["request"]["url"] for one in said if one["method"] == "Network.requestWillBeSent"]
        return {urlsplit(url).netloc for url in urls if url.startswith("http")}


@pytest.fixture(scope="module")
def chromium() -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=1400,1000"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options, Service(shutil.which("chromedriver")))
    yield driver
    driver.quit()


@pytest.fixture
def browser(mongodb: str, settings: Any, chromium: webdriver.Chrome, live_server: Any) -> Browser:
    settings.TRUST_IDENTITY_HEADERS = True  # for what the tests prepare
    get_user_model().objects.create_superuser("boss", password=PASSWORD)
    chromium.delete_all_cookies()
    return Browser(chromium, live_server.url)


def log_in(browser: Browser) -> None:
    browser.open("/admin/")
    browser.find("#id_username").send_keys("boss")
    browser.find("#id_password").send_keys(PASSWORD)
    browser.find("[type=submit]").click()
    browser.find("#user-tools")


def test_the_admin(browser: Browser) -> None:
    log_in(browser)
    for path in (
        "/admin/analytics/order/",
        "/admin/axes/accessattempt/",
        "/admin/auth/user/",
        "/admin/analytics/deadletter/",
    ):
        browser.open(path)
        browser.find("#content")
    assert browser.complaints() == []


def test_dead_letters_are_discarded_with_a_reason(browser: Browser) -> None:
    letters = [bad_letter(), bad_letter()]
    log_in(browser)
    browser.open("/admin/analytics/deadletter/")
    browser.find("#action-toggle").click()
    browser.find("select[name=action] option[value=discard]").click()
    browser.find("button[name=index]").click()
    browser.find("#id_reason").send_keys("a test")
    browser.find("input[value=Discard]").click()
    assert browser.find(".messagelist .success").text == "2 discarded"
    browser.open(f"/admin/analytics/deadletter/{letters[0].pk}/change/")
    assert "a test" in browser.find("#actions-group").text
    assert browser.complaints() == []


def test_the_browsable_api(browser: Browser) -> None:
    log_in(browser)
    supplier = new_supplier()
    product = new_product(supplier, status="draft")
    new_post(new_user())
    for path in ("/products", f"/suppliers/{supplier.id}", "/posts", "/users"):
        browser.open(path)
    browser.open(f"/products/{product['id']}")
    browser.find("button[data-method=DELETE], form[data-method=DELETE] button, .btn-danger").click()
    assert browser.complaints() == []


@pytest.mark.parametrize(("path", "element"), [("/docs", ".opblock"), ("/redoc", "[data-section-id]")])
def test_the_api_documents(browser: Browser, path: str, element: str) -> None:
    browser.open("/health")
    browser.hosts()
    browser.open(path)
    browser.find(element)
    assert browser.complaints() == []
    assert browser.hosts() == {urlsplit(browser.origin).netloc}


def test_swagger_ui_logs_in_and_sends_the_token(browser: Browser) -> None:
    new_user(email="ada@example.com", password=PASSWORD)
    browser.open("/docs")
    body = json.dumps({"email": "ada@example.com", "password": PASSWORD})
    tokens = json.loads(try_out(browser, "Accounts-auth_token", body))
    browser.find(".btn.authorize").click()
    browser.find("#auth-bearer-value").send_keys(tokens["access"])
    browser.find(".auth-container .authorize[type=submit]").click()
    browser.find(".btn-done").click()
    assert json.loads(try_out(browser, "Orders-orders_list")) == []
    assert browser.complaints() == []


def try_out(browser: Browser, operation: str, body: str = "") -> str:
    """Send a request by the form of an operation and return the body of the answer."""
    block = f"#operations-{operation}"
    browser.find(f"{block} button.opblock-summary-control").click()
    browser.find(f"{block} .try-out__btn").click()
    if body:
        text = browser.find(f"{block} textarea.body-param__text")
        text.clear()
        text.send_keys(body)
    browser.find(f"{block} button.execute").click()
    assert browser.find(f"{block} .live-responses-table tr.response .response-col_status").text.startswith("200")
    return browser.find(f"{block} .live-responses-table .highlight-code code").text
