"""The report in a real browser: it loads, shows its pictures and fits a phone."""

import json
import re
import shutil
import subprocess
from html import unescape

import pytest

from simulacra.validation import apply_thresholds, validate
from simulacra.validation.thresholds import Thresholds
from tests.calochallenge import showers_like

BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(BROWSER is None, reason="no Chromium: apt-get install chromium"),
]

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--enable-logging=stderr",
    "--virtual-time-budget=10000",
    "--host-resolver-rules=MAP * ~NOTFOUND",  # nothing may be fetched from anywhere
)
PROBE = """
<script>
window.addEventListener("load", () => {
  const tooWide = [...document.querySelectorAll("body > *")]
    .filter(e => e.getBoundingClientRect().right > window.innerWidth + 1)
    .map(e => e.tagName + "." + e.className);
  parent.postMessage(JSON.stringify({
    images: [...document.images].map(i => [i.alt, i.naturalWidth]),
    width: window.innerWidth,
    content: document.documentElement.scrollWidth,
    tooWide: tooWide,
    resources: performance.getEntriesByType("resource").map(r => r.name)
      .filter(name => !name.startsWith("data:")),
  }), "*");
});
</script>
"""
# windows of a browser are at least 500 pixels wide; frames are not
FRAME = """<!doctype html><html><head><title></title></head><body>
<script>addEventListener("message", m => { document.title = "PROBE" + m.data + "END"; });</script>
<iframe src="probed.html" style="border: 0; width: %dpx; height: 900px"></iframe></body></html>
"""


def load(page, folder, width):
    """What the page says of itself at a width in pixels, and what the browser logs."""
    html = page.read_text(encoding="utf-8").replace("</body>", f"{PROBE}</body>")
    (folder / "probed.html").write_text(html, encoding="utf-8")
    frame = folder / "frame.html"
    frame.write_text(FRAME % width, encoding="utf-8")
    command = [BROWSER, *FLAGS, f"--user-data-dir={folder / 'profile'}"]
    command += ["--window-size=1400,1000", "--dump-dom", frame.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    found = re.search(r"<title>PROBE(.*?)END</title>", done.stdout, re.DOTALL)
    assert found is not None, done.stderr[-2000:]
    console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    return json.loads(unescape(found[1])), console


@pytest.mark.parametrize("width", [390, 1200])
def test_the_report_renders(small_report, tmp_path, width):
    found, console = load(small_report[0], tmp_path, width)
    assert console == []
    assert found["resources"] == []
    assert len(found["images"]) >= 15
    assert [alt for alt, size in found["images"] if size == 0] == []
    assert found["width"] == width
    assert found["content"] <= width
    assert found["tooWide"] == []


def test_long_lines_and_tables_fit_a_phone(tmp_path, without_plots):
    events = showers_like("1-photons", 60)
    others = showers_like("1-photons", 60, seed=1, stretch=2)
    rules = [{"observables": ["*"], "separation": 0.05}]
    validation = validate(events, others, legacy="1-photons")
    validation = apply_thresholds(validation, Thresholds.model_validate({"rules": rules}))
    page = validation.report(tmp_path / "report")
    html = page.read_text(encoding="utf-8")
    assert len(validation.thresholds.failures) > 20
    assert all(text in html for text in ("checks fail", "CaloChallenge's scores", "ec_eta"))
    found, console = load(page, tmp_path, 390)
    assert console == []
    assert found["content"] <= 390
    assert found["tooWide"] == []


def test_an_error_on_the_page_would_be_seen(small_report, tmp_path):
    broken = tmp_path / "broken.html"
    html = small_report[0].read_text(encoding="utf-8")
    wide = '<p style="width: 3000px; max-width: none">wide</p><script>nothing()</script>'
    broken.write_text(html.replace("</h1>", f"</h1>{wide}", 1), encoding="utf-8")
    found, console = load(broken, tmp_path, 390)
    assert any("nothing is not defined" in line for line in console)
    assert found["content"] > 390
    assert found["tooWide"]
