"""A page as a real browser shows it: headless Chromium renders it, and tells what it found."""

import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
WIDTH, HEIGHT = 1280, 1600
RESULT = "page-check-result"
SCRIPT = Path(__file__).with_name("page_check.js").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Seen:
    """What the browser found on a page.

    `live` charts are on it, `charts` of them were drawn. `foreign`: addresses that something would be loaded from;
    `outside`: elements that are wider than their box; `covered`: texts that lie on each other; `answers`: what the
    script `ask` of the test found; `console`: the lines of its console.
    """

    title: str
    images: int
    broken_images: tuple[str, ...]
    unnamed_images: int
    broken_links: tuple[str, ...]
    repeated_ids: tuple[str, ...]
    scripts: int
    charts: int
    live: int
    foreign: tuple[str, ...]
    outside: tuple[str, ...]
    covered: tuple[str, ...]
    answers: tuple[str, ...]
    overflow_px: int
    height_px: int
    invisible: int
    text: str
    console: tuple[str, ...]


def find_browser() -> str | None:
    """Path of a Chromium, or of what `NMSIM_BROWSER` names."""
    named = os.environ.get("NMSIM_BROWSER")
    return named or next((path for name in BROWSERS if (path := shutil.which(name))), None)


def look_at(page: Path, browser: str, scratch: Path, width: int = WIDTH, ask: str = "") -> Seen:
    """Render a page in a browser so many pixels wide and collect what is wrong with it.

    `ask` is the body of a function that acts on the finished page and returns a list of texts.
    """
    copy = scratch / f"{page.stem}-with-check.html"
    head, _, tail = page.read_text(encoding="utf-8").rpartition("</body>")
    asked = f"async function ask() {{ {ask or 'return [];'} }}"
    copy.write_text(f"{head}<script id='page-check'>{asked}{SCRIPT}</script></body>{tail}", encoding="utf-8")
    done = subprocess.run(
        [
            browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
            f"--user-data-dir={scratch / 'profile'}", f"--window-size={width},{HEIGHT}", "--enable-logging=stderr",
            "--virtual-time-budget=20000", "--dump-dom", copy.as_uri(),
        ],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    match = re.search(rf'<pre id="{RESULT}">([^<]*)</pre>', done.stdout)
    assert match, f"the browser did not finish {page}: {done.stderr[-2000:]}"
    found = json.loads(unquote(match[1]))
    ids = found["ids"]
    return Seen(
        found["title"], found["images"], tuple(found["broken"]), found["unnamed"],
        tuple(link for link in found["links"] if not _leads_somewhere(link, set(ids), page.parent)),
        tuple(sorted({name for name in ids if ids.count(name) > 1})), found["scripts"], found["charts"], found["live"],
        tuple(found["foreign"]), tuple(found["outside"]), tuple(found["covered"]), tuple(found["answers"]),
        found["overflow"], found["height"], found["invisible"], found["text"],
        tuple(line for line in done.stderr.splitlines() if "CONSOLE" in line),
    )  # fmt: skip


def _leads_somewhere(link: str, ids: set[str], folder: Path) -> bool:
    if link.startswith("#"):
        return link[1:] in ids
    return link.startswith(("http://", "https://")) or (folder / unquote(link.partition("#")[0])).is_file()
