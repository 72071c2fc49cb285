"""The pages in a real browser: they work, from this origin alone, and the Content-Security-Policy stops none of it.

Needs Chromium and its driver (Debian: chromium, chromium-driver).
"""

import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from tests.api import new_post, new_product, new_supplier, new_user

pytestmark = pytest.mark.skipif(
    not (shutil.which("chromium") and shutil.which("chromedriver")),
    reason="neither Chromium nor its driver is installed",
)

# ReDoc asks for its maker's logo from there, whatever its options say. It does not get it.
REFUSED = "https://cdn.redoc.ly/"
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
        said = [entry["message"] for entry in self.driver.get_log("browser")]
        return [message for message in said if f"Loading the image '{REFUSED}" not in message.replace("\\", "")]


@pytest.fixture(scope="module")
def chromium() -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=1400,1000"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options, Service(shutil.which("chromedriver")))
    yield driver
    driver.quit()


@pytest.fixture
def browser(api: None, chromium: webdriver.Chrome, live_server: Any) -> Browser:
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
    for path in ("/admin/analytics/order/", "/admin/axes/accessattempt/", "/admin/auth/user/"):
        browser.open(path)
        browser.find("#content")
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
    browser.open(path)
    browser.find(element)
    assert browser.complaints() == []
