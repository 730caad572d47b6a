"""A hand on the page: a browser, the page of a performance in it, and what it waits for."""

import json

from tests.parts import chromium

PATIENCE = 120_000
"""Milliseconds that a state may take to come about; nothing is waited for longer than it needs."""


class Hand:
    """Opens pages in one browser. An error of a page's scripts is kept in `errors`."""

    def __init__(self, playwright, *flags: str) -> None:
        self.browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox", *flags])
        self.errors: list[str] = []

    def open(self, url: str, size=(1440, 900), script: str = "", **context):
        """Open a page in a context of its own, and wait until it knows the engine; ``script`` runs before its own."""
        opened = self.browser.new_context(viewport={"width": size[0], "height": size[1]}, **context)
        if script:
            opened.add_init_script(script)
        page = opened.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.goto(url)
        there(page)
        return page

    def leave(self) -> None:
        """Close all that is open; what went wrong in a page fails the test."""
        for context in list(self.browser.contexts):
            context.close()
        errors, self.errors = self.errors, []
        assert errors == []


def there(page) -> None:
    """Wait until the page knows the engine."""
    page.wait_for_selector("html[data-link=up]")
    page.wait_for_selector("[data-cell]", state="attached")


def state_until(page, condition: str, argument=None) -> dict:
    """Wait until the engine's own state, ``s`` with its bends by id ``b``, is as wanted; return it."""
    script = f"""async (argument) => {{ const s = await (await fetch('/api/state')).json();
        const b = Object.fromEntries(s.bends.map((one) => [one.id, one]));
        return [Boolean({condition}), s]; }}"""
    for _ in range(PATIENCE // 200):
        is_so, state = page.evaluate(script, argument)
        if is_so:
            return state
        page.wait_for_timeout(100)
    raise AssertionError(f"never: {condition}; {json.dumps(state['bends'])}")


def middle(page, selector: str) -> tuple[float, float]:
    """Where the middle of an element is."""
    box = page.locator(selector).bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def drag(page, start: tuple[float, float], end: tuple[float, float], steps: int = 8) -> None:
    """Press, move in steps, and let go."""
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*end, steps=steps)
    page.mouse.up()


def drop(page, path, half: str) -> None:
    """Drop a file on one half of the page, as from the desktop."""
    content = list(path.read_bytes())
    page.evaluate(
        """async ([content, name, half]) => {
            const bag = new DataTransfer();
            bag.items.add(new File([new Uint8Array(content)], name, {type: 'audio/wav'}));
            const event = (type, node) => node.dispatchEvent(new DragEvent(type, {bubbles: true, cancelable: true,
                dataTransfer: bag}));
            event('dragenter', document.body);
            const target = document.querySelector(`[data-drop=${half}]`);
            event('dragover', target);
            event('drop', target);
        }""",
        [content, path.name, half],
    )
