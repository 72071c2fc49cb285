"""The dashboard in a real browser, on demo data: wide and narrow, light and dark, with script and without."""

import csv
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.management import call_command
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait

from analytics.dashboard_range import range_of
from analytics.models import PartitionReport
from analytics.reports.catalogue import REPORTS
from analytics.reports.report import Question
from tests.analytics.shop import project
from tests.system.test_browser import PASSWORD, SECONDS, Browser
from tests.system.test_browser import chromium as chromium
from tests.waiting import until

pytestmark = pytest.mark.skipif(
    not (shutil.which("chromium") and shutil.which("chromedriver")),
    reason="neither Chromium nor its driver is installed",
)

WIDTHS = (1280, 390)
THEMES = ("light", "dark")
CHARTS = 7
# How far each canvas is filled with something: a chart that draws nothing has no opaque pixel.
PAINTED = """return [...document.querySelectorAll('canvas')].map((canvas) => {
  const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
  return pixels.some((value, index) => index % 4 === 3 && value > 0);
});"""
# Where the bar of a chart ends, seen from the middle of the canvas: of that chart, series and row.
BAR = """const chart = Chart.getChart(document.querySelector(arguments[0] + ' canvas'));
const bar = chart.getDatasetMeta(arguments[1]).data[arguments[2]], box = chart.canvas.getBoundingClientRect();
return [bar.x - box.width / 2, bar.y - box.height / 2];"""


@pytest.fixture
def shop(mongodb: str, transactional_db: None) -> None:
    """Demo data of a small shop in the tables, and a consumer that has reported."""
    for command, count in (("seed", 3), ("generate_products", 12), ("generate_posts", 20), ("generate_orders", 60)):
        call_command(command, count=count, verbosity=0)
    project()
    PartitionReport.objects.create(
        group_id="analytics", topic="order", partition=0, next_offset=9, end_offset=9, at=datetime.now(UTC)
    )


@pytest.fixture
def browser(shop: None, chromium: webdriver.Chrome, live_server: Any, tmp_path: Path) -> Iterator[Browser]:
    """A browser in which an analyst has logged in, and whose downloads go to `tmp_path`."""
    group, _ = Group.objects.get_or_create(name="analyst")
    get_user_model().objects.create_superuser("boss", password=PASSWORD)
    group.user_set.add(get_user_model().objects.get(username="boss"))
    chromium.delete_all_cookies()
    chromium.execute_cdp_cmd(
        "Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path), "eventsEnabled": True}
    )
    browser = Browser(chromium, live_server.url)
    browser.open("/admin/")
    browser.find("#id_username").send_keys("boss")
    browser.find("#id_password").send_keys(PASSWORD)
    browser.find("[type=submit]").click()
    browser.find(".the-dashboard")
    browser.complaints()
    yield browser
    chromium.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    chromium.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def look(browser: Browser, width: int, theme: str, path: str = "/admin/") -> None:
    """Open a page in a width and a theme, and wait until its charts are drawn."""
    browser.driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600},
    )
    browser.driver.execute_script("localStorage.setItem('theme', arguments[0])", theme)
    browser.open(path)
    browser.find("html[data-charts=drawn]")


def overflow(browser: Browser) -> int:
    """Return by how many pixels the page is wider than the screen."""
    page = "document.documentElement"
    width: int = browser.driver.execute_script(f"return {page}.scrollWidth - {page}.clientWidth")
    return width


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_the_dashboard(browser: Browser, width: int, theme: str, tmp_path: Path) -> None:
    look(browser, width, theme)
    until(lambda: browser.driver.execute_script(PAINTED) == [True] * CHARTS, what="all charts are drawn")
    assert overflow(browser) == 0
    choose_a_range(browser)
    assert overflow(browser) == 0
    download_what_is_shown(browser, tmp_path)
    follow_a_supplier(browser)
    assert browser.complaints() == []
    assert browser.hosts() == {browser.origin.removeprefix("http://")}


def choose_a_range(browser: Browser) -> None:
    browser.find(".ranges a[href='?range=90d']").click()
    browser.find(".ranges a[href='?range=90d'][aria-current]")
    browser.find("html[data-charts=drawn]")
    assert len(browser.driver.find_elements(By.CSS_SELECTOR, "#daily-revenue tbody tr")) == 90
    assert browser.driver.current_url.endswith("?range=90d")


def download_what_is_shown(browser: Browser, folder: Path) -> None:
    browser.find("#daily-revenue .csv").click()
    until(lambda: list(folder.glob("*.csv")), SECONDS, "the file is there")
    (file,) = folder.glob("*.csv")
    today = datetime.now(UTC).date()
    question = Question(today=today, period=range_of({"range": "90d"}, today).period)
    with file.open(newline="") as lines:
        got = [(row["day"], int(row["revenue_cents"])) for row in csv.DictReader(lines)]
    assert got == [(str(row["day"]), row["revenue_cents"]) for row in REPORTS["daily-revenue"].rows(question)]
    cells = browser.driver.find_elements(By.CSS_SELECTOR, "#daily-revenue tbody td:nth-child(2)")
    assert [cents for _, cents in got] == [int(cell.get_attribute("data-value")) for cell in cells]


def follow_a_supplier(browser: Browser) -> None:
    """Click the first bar of the suppliers, which leads where the link in the table does."""
    link = browser.find("#revenue-by-supplier tbody a").get_attribute("href")
    canvas = browser.find("#revenue-by-supplier canvas")
    browser.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", canvas)
    x, y = browser.driver.execute_script(BAR, "#revenue-by-supplier", 0, 0)
    webdriver.ActionChains(browser.driver).move_to_element_with_offset(canvas, int(x) - 4, int(y)).click().perform()
    WebDriverWait(browser.driver, SECONDS).until(lambda driver: driver.current_url == link)
    assert browser.find("#result_list tbody tr")


def test_the_theme_switch_redraws_the_charts(browser: Browser) -> None:
    look(browser, 1280, "light")
    colour = "return Chart.getChart(document.querySelector('#daily-revenue canvas')).options.scales.y.ticks.color"
    light = browser.driver.execute_script(colour)
    assert light.startswith("#")
    for _ in THEMES:  # from light over auto to dark, or straight
        browser.find(".theme-toggle").click()
    until(lambda: browser.driver.execute_script(colour) != light, what="other colours")
    assert browser.complaints() == []


def test_definitions_show_on_hover_and_on_focus_and_stay_on_the_page(browser: Browser) -> None:
    for width in WIDTHS:
        look(browser, width, "light")
        for mark in browser.driver.find_elements(By.CSS_SELECTOR, ".definition"):
            check_definition(browser, mark, width)
        mark = browser.find("#daily-revenue .definition button")
        webdriver.ActionChains(browser.driver).move_to_element(mark).perform()
        assert browser.find("#about-daily-revenue").is_displayed()
        assert overflow(browser) == 0


def check_definition(browser: Browser, mark: Any, width: int) -> None:
    button, text = mark.find_element(By.TAG_NAME, "button"), mark.find_element(By.CSS_SELECTOR, "[role=tooltip]")
    browser.driver.execute_script("arguments[0].focus()", button)
    assert text.is_displayed()
    assert text.text
    box = text.rect
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
    button.send_keys(Keys.ESCAPE)
    assert not text.is_displayed()


def test_a_custom_range_by_the_form(browser: Browser) -> None:
    look(browser, 1280, "light", "/admin/?start=2026-01-01&end=2026-01-08")
    assert browser.find("[name=end]").get_attribute("value") == "2026-01-08"
    browser.find(".range-form button").click()
    assert "start=2026-01-01&end=2026-01-08" in browser.driver.current_url
    assert "No orders were placed in this range" in browser.find("#daily-revenue").text
    assert browser.complaints() == []


def test_without_script_the_tables_have_the_numbers(browser: Browser) -> None:
    driver = browser.driver
    driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    browser.open("/admin/?range=90d")
    assert not driver.find_elements(By.CSS_SELECTOR, "html[data-charts]")
    assert not browser.find("#daily-revenue canvas").is_displayed()
    tables = driver.find_elements(By.CSS_SELECTOR, ".card tbody")
    assert len(tables) == CHARTS + 2  # the heat map and the stock besides
    # Selenium's own `is_displayed` takes the content of closed details for hidden, whatever the style sheet says.
    assert all(driver.execute_script("return arguments[0].checkVisibility()", table) for table in tables)
    assert browser.complaints() == []
