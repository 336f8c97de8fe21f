"""Make the pages of the site that are not written by hand; a hook of mkdocs.

- The reference of the command line, from the command line itself.
- The reference of Python: a heading for each public name; mkdocstrings fills in its docstring.
- Home, changelog, security and contributing, from the documents beside ``docs/``.

It also turns what code forges read differently (marks of blocks, comments, links out of
``docs/``) into what mkdocs reads, and warns of pages that would load anything from the network.
"""

from __future__ import annotations

import importlib
import inspect
import logging
import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page
    from typer.core import TyperArgument, TyperCommand

ROOT = Path(__file__).resolve().parent.parent
LOG = logging.getLogger("mkdocs.hooks.site_pages")

MODULES = (
    "backbones",
    "fusion",
    "manifest",
    "manifest.annotations",
    "manifest.questions",
    "metrics",
    "shards",
    "tasks",
    "testing",
    "video",
)
"""Modules of vidfit whose ``__all__`` is public, too."""

MOVED = {
    "README.md": "index.md",
    "CHANGELOG.md": "reference/changelog.md",
    "SECURITY.md": "explanation/security.md",
    "CONTRIBUTING.md": "contributing.md",
}
"""Documents of the repository's root -> their pages."""

ONLY_IN_REPOSITORY = ("As a site", "The tree", "Licence")
"""Sections of the README that the site has no use for."""

COMMENT = re.compile(r"^<!--.*?-->$", re.MULTILINE)
FENCE_MARKS = re.compile(r"^(```\w+) [^\n]+$", re.MULTILINE)
LINK = re.compile(r"(\]\()(?!\w+:|#)([^)\s#]+)")
LOADED = re.compile(r"<(?:(?:script|img|iframe)[^>]*\ssrc|link[^>]*\shref)=\"?https?:[^>]*>")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made."""
    from mkdocs.structure.files import File

    for uri, text in pages().items():
        files.append(File.generated(config, uri, content=text))
    return files


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
    """Return a page as mkdocs reads it."""
    return as_read_by_mkdocs(markdown, page.file.src_uri)


def on_page_content(html: str, **_: object) -> str:
    """Return a page without the colons that announce a literal block in a docstring."""
    return html.replace("<p>::</p>\n", "").replace("::</p>\n<pre>", ":</p>\n<pre>")


def on_post_page(output: str, page: Page, **_: object) -> str:
    """Warn of what a page would load from the network."""
    for found in LOADED.finditer(output):
        if 'rel="canonical"' not in found[0]:
            LOG.warning("%s loads from the network: %s", page.file.src_uri, found[0])
    return output


def pages() -> dict[str, str]:
    """Return address -> Markdown of each page that is made."""
    made = {uri: from_root(name) for name, uri in MOVED.items()}
    made["reference/cli.md"] = command_line()
    made["reference/vidfit.md"] = public_names()
    made |= {f"reference/{name}.md": module_names(name) for name in MODULES}
    return made


def from_root(name: str) -> str:
    """Return a document of the repository's root, with links from the page that it becomes."""
    text = (ROOT / name).read_text(encoding="utf-8")
    for title in ONLY_IN_REPOSITORY if name == "README.md" else ():
        text = re.sub(rf"^## {title}\n.*?(?=^## |\Z)", "", text, flags=re.M | re.S)
    folder = posixpath.dirname(MOVED[name])

    def moved(match: re.Match[str]) -> str:
        target = MOVED.get(match[2], match[2].removeprefix("docs/"))
        return match[1] + posixpath.relpath(target, folder or ".")

    return LINK.sub(moved, text)


def as_read_by_mkdocs(markdown: str, uri: str) -> str:
    """Return Markdown without marks of blocks and comments; links into the root lead to pages."""
    folder = posixpath.dirname(uri)

    def moved(match: re.Match[str]) -> str:
        name = match[2].removeprefix("../")
        is_outside = match[2].startswith("../") and name in MOVED and not folder
        return match[1] + (MOVED[name] if is_outside else match[2])

    return LINK.sub(moved, FENCE_MARKS.sub(r"\1", COMMENT.sub("", markdown)))


def public_names() -> str:
    """Return the page of the names in ``vidfit.__all__``, by kind."""
    import vidfit

    kinds: dict[str, list[str]] = {"Functions": [], "Options": [], "Values": [], "Errors": []}
    for name in sorted(vidfit.__all__):
        if name != "__version__":
            kinds[_kind(name, getattr(vidfit, name))].append(name)
    text = "# vidfit\n\n`import vidfit` loads nothing heavy: what a name needs is loaded when it "
    text += "is first used. `vidfit.__version__` is the version of the package.\n"
    for title, names in kinds.items():
        text += f"\n## {title}\n" + "".join(_entry(f"vidfit.{name}") for name in names)
    return text


def _kind(name: str, value: object) -> str:
    if isinstance(value, type) and issubclass(value, Exception):
        return "Errors"
    if name.endswith("Options"):
        return "Options"
    return "Functions" if inspect.isroutine(value) else "Values"


def module_names(name: str) -> str:
    """Return the page of a module's public names."""
    module = importlib.import_module(f"vidfit.{name}")
    values = ((public, getattr(module, public)) for public in module.__all__)
    entries = (_named(f"vidfit.{name}", public, value) for public, value in values)
    head = f"# vidfit.{name}\n\n::: vidfit.{name}\n    options:\n      members: false\n"
    return (
        head
        + "      show_root_heading: false\n      show_root_toc_entry: false\n"
        + "".join(entries)
    )


def _named(module: str, name: str, value: object) -> str:
    """Return the entry of a name; of an instance of ours, what its class says.

    griffe reads sources, and does not see names that are assigned together.
    """
    if isinstance(value, type) or not type(value).__module__.startswith("vidfit"):
        return _entry(f"{module}.{name}")
    says = inspect.cleandoc(type(value).__doc__ or "").partition("\n")[0]
    return f"\n### `{name}` {{ #{module}.{name} }}\n\n`{type(value).__name__}`: {says}\n"


def _entry(path: str) -> str:
    return f"\n::: {path}\n"


def command_line() -> str:
    """Return the page of the commands, their arguments and options, from the command line."""
    import typer

    from vidfit.cli.main import app

    commands = vars(typer.main.get_command(app))["commands"]
    text = "# Command line\n\n`vidfit COMMAND --help` says the same in the terminal.\n"
    for name, command in commands.items():
        text += f"\n## vidfit {name}\n\n{command.help}\n\n" + "\n".join(_table(name, command))
    return text


def _table(name: str, command: TyperCommand) -> Iterator[str]:
    """Yield how a command is called, and a table of what it takes and of defaults."""
    given = [p for p in command.params if p.param_type_name == "argument"]
    options = [p for p in command.params if p.param_type_name == "option"]
    words = [_argument(parameter) for parameter in given]
    yield f"```text\nvidfit {name} {' '.join(words)}{' [OPTIONS]' if options else ''}\n```\n"
    yield "| what is given | what it does |\n|---|---|"
    for parameter in given:
        yield f"| `{_argument(parameter)}` | {_cell(parameter.help)} |"
    for parameter in options:
        text = parameter.help or ""
        if parameter.default not in (None, False):
            text += f" [default: {parameter.default}]"
        names = ", ".join(f"`{option}`" for option in parameter.opts)
        yield f"| {names} | {_cell(text)} |"
    yield ""


def _argument(parameter: TyperArgument) -> str:
    return parameter.name.upper() + ("..." if parameter.nargs == -1 else "")


def _cell(text: str | None) -> str:
    return (text or "").replace("|", r"\|").replace("*", r"\*").replace("[", r"\[")
