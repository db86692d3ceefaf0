"""The reports in a real browser: nothing breaks, figures are drawn, tables sort, a phone can read them."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

from project import copy_project, run_snakemake
from tomtransfer.measurement.findings import read_findings
from tomtransfer.report.page import published_page, render_page
from tomtransfer.report.sources import Asked, Motivation
from tomtransfer.scenarios.questions import Prompt

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
CANARY = "<script>window.canary = 1</script><img src=x onerror='window.canary = 1'>"

Browser = webdriver.Chrome


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    binary = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if binary is None:
        pytest.skip(f"no browser on this machine: none of {', '.join(BROWSERS)} (Debian: chromium, chromium-driver)")
    driver = shutil.which("chromedriver")
    assert driver, "chromium is here and chromedriver is not (Debian: chromium-driver)"
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    # Containers of CI run as root, where Chromium refuses its sandbox, and have little shared memory.
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=1280,1000"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    browser = webdriver.Chrome(options=options, service=Service(driver))
    browser.execute_cdp_cmd("Network.enable", {})
    browser.execute_cdp_cmd("Network.emulateNetworkConditions", offline())
    yield browser
    browser.quit()


def offline() -> dict[str, object]:
    return {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0}


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    project = copy_project(tmp_path_factory.mktemp("published"))
    done = run_snakemake(project, "--cores", "2", "published")
    assert done.returncode == 0, done.stdout
    return project / "results" / "published"


@pytest.fixture(scope="module")
def with_prompts(published: Path) -> Path:
    """The same page with what only an experiment's report has, all of it hostile."""
    place = ("in_sample", "stag_hunt", "team", "canonical", "answer_only")
    prompt = Prompt(*place, "C", "D", {}, CANARY, f"{CANARY} {'long' * 200}", "0" * 64)
    asked = [Asked(prompt, (Motivation("cooperate", "C", CANARY, True),))]
    figures = sorted((published / "figures").glob("*.svg"))
    page = published_page(read_findings(published / "summary.json"), [], figures, "9.27.1")
    path = published / "with_prompts.html"
    path.write_text(render_page(replace(page, asked=asked)), encoding="utf-8")
    return path


@pytest.fixture(params=["published", "with_prompts"])
def browser(request: pytest.FixtureRequest, chromium: Browser) -> Browser:
    """A browser with one of the pages freshly open."""
    report = request.getfixturevalue(request.param)
    chromium.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    chromium.get((report / "report.html" if report.is_dir() else report).as_uri())
    return chromium


def column(table: WebElement, place: int) -> list[str]:
    return [
        row.find_elements(By.TAG_NAME, "td")[place].text for row in table.find_elements(By.CSS_SELECTOR, "tbody tr")
    ]


def test_the_page_opens_without_a_complaint_or_a_request(browser: Browser) -> None:
    assert [entry for entry in browser.get_log("browser") if entry["level"] in {"SEVERE", "WARNING"}] == []
    assert browser.execute_script("return performance.getEntriesByType('resource').map((each) => each.name)") == []
    assert browser.execute_script("return window.canary === undefined")
    assert len(browser.find_elements(By.TAG_NAME, "script")) == 1


def test_every_figure_is_drawn(browser: Browser) -> None:
    figures = browser.find_elements(By.CSS_SELECTOR, "figure svg")
    assert len(figures) == 4
    for figure in figures:
        assert figure.size["width"] > 300
        assert figure.size["height"] > 150
        assert figure.find_elements(By.TAG_NAME, "path")
        assert figure.find_elements(By.TAG_NAME, "text")


def opened(browser: Browser, name: str) -> WebElement:
    """Return a table of the page, after opening the part that it is in."""
    table = browser.find_element(By.ID, name)
    browser.execute_script("arguments[0].closest('details').open = true", table)
    return table


def test_a_click_sorts_and_another_turns_round(browser: Browser) -> None:
    table = opened(browser, "table-alignment_by_split")
    heading = table.find_element(By.XPATH, ".//th[normalize-space()='tuned']")
    place = len(heading.find_elements(By.XPATH, "preceding-sibling::th"))
    heading.find_element(By.TAG_NAME, "button").click()
    ascending = [
        float(cell.get_attribute("data-value")) for cell in table.find_elements(By.XPATH, f".//td[{place + 1}]")
    ]
    assert ascending == sorted(ascending)
    assert ascending[0] < 0 < ascending[-1]
    assert heading.get_attribute("aria-sort") == "ascending"
    heading.find_element(By.TAG_NAME, "button").send_keys(Keys.ENTER)
    assert heading.get_attribute("aria-sort") == "descending"
    turned = [float(cell.get_attribute("data-value")) for cell in table.find_elements(By.XPATH, f".//td[{place + 1}]")]
    assert turned == ascending[::-1]


def test_text_sorts_and_what_is_missing_stays_last(browser: Browser) -> None:
    table = opened(browser, "table-alignment_by_split")
    measure, constant = (
        table.find_element(By.XPATH, f".//th[normalize-space()='{title}']/button")
        for title in ("measure", "floor: best constant")
    )
    measure.click()
    assert column(table, 1) == sorted(column(table, 1))
    for _ in range(2):
        constant.click()
        assert column(table, 7)[-1] == "–"
        assert column(table, 7)[0] != "–"


def test_one_measure_of_many_is_shown_and_another_can_be_chosen(browser: Browser) -> None:
    browser.find_element(By.XPATH, "//summary[contains(., 'Alignment by game')]").click()
    part = browser.find_element(By.XPATH, "//details[summary[contains(., 'Alignment by game')]]")
    shown = [row for row in part.find_elements(By.CSS_SELECTOR, "tbody tr") if row.is_displayed()]
    assert len(shown) == 12
    browser.execute_script(
        "arguments[0].value = ''; arguments[0].dispatchEvent(new Event('change'))",
        part.find_element(By.TAG_NAME, "select"),
    )
    assert len([row for row in part.find_elements(By.CSS_SELECTOR, "tbody tr") if row.is_displayed()]) == 120


def test_a_phone_scrolls_down_and_never_sideways(browser: Browser) -> None:
    phone = {"width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", phone)
    browser.execute_script("for (const part of document.querySelectorAll('details')) part.open = true")
    widths = browser.execute_script(
        "return [innerWidth, document.documentElement.scrollWidth, document.body.scrollWidth]"
    )
    assert widths == [360, 360, 360]


def test_a_dark_screen_has_light_letters_in_figures_too(browser: Browser) -> None:
    ink = "return getComputedStyle(document.querySelector('figure svg text')).fill"
    light = browser.execute_script(ink)
    media = {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    dark = browser.execute_script(ink)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    assert light == "rgb(28, 28, 28)"
    assert dark == "rgb(236, 236, 236)"


def test_prompts_are_behind_a_click(chromium: Browser, with_prompts: Path) -> None:
    chromium.get(with_prompts.as_uri())
    text = chromium.find_element(By.CSS_SELECTOR, "#prompts pre")
    assert not text.is_displayed()
    for summary in chromium.find_elements(By.CSS_SELECTOR, "#prompts summary"):
        summary.click()
    assert text.is_displayed()
    assert text.text == CANARY
    assert chromium.find_element(By.CSS_SELECTOR, "#prompts blockquote").text == f"C: cooperate\n{CANARY}"
