"""XML of strangers as a tree of plain values, each with its line.

A document type is refused as it begins, so that no entity is ever defined, expanded or fetched
(billion laughs, external entities). That is the whole of what a package such as defusedxml would
add here, and the parser of the standard library tells lines beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from xml.parsers import expat

from vidfit.errors import ManifestError

_DEEPEST = 50


@dataclass(slots=True)
class Element:
    """One element: its attributes, what it holds, and the line where it begins."""

    tag: str
    line: int
    of: Mapping[str, str]
    children: list[Element] = field(default_factory=list)
    text: str = ""

    def all(self, tag: str) -> Iterator[Element]:
        """Yield the children of that name."""
        return (child for child in self.children if child.tag == tag)

    def first(self, *tags: str) -> Element | None:
        """Return the first child of that name, of that child the next, and so on."""
        found: Element | None = self
        for tag in tags:
            found = next(found.all(tag), None) if found else None
        return found

    def said(self, *tags: str) -> str:
        """Return the text of a child, see `first`; empty where there is none."""
        found = self.first(*tags)
        return found.text.strip() if found else ""


def parse_xml(data: bytes, name: str) -> Element:
    """Return the root of a document.

    Raises
    ------
    ManifestError
        If it is no sound XML, is nested too deep, or has a document type.
    """
    builder = _Builder(name)
    try:
        builder.parser.Parse(data, True)
    except expat.ExpatError as error:
        line = builder.parser.ErrorLineNumber
        raise ManifestError(f"{name}, line {line}: it is no sound XML ({error})") from error
    except (LookupError, ValueError) as error:  # an encoding that is not known
        raise ManifestError(f"{name}: it is no sound XML ({error})") from error
    return builder.root.children[0]


class _Builder:
    def __init__(self, name: str) -> None:
        self.name = name
        self.root = Element("", 0, {})
        self._open = [self.root]
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._begin
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._says
        self.parser.StartDoctypeDeclHandler = self._refuse

    def _refuse(self, *_: object) -> None:
        line = self.parser.CurrentLineNumber
        raise ManifestError(
            f"{self.name}, line {line}: it has a document type, which no annotations need and "
            "which may define entities without end; remove the line <!DOCTYPE …>"
        )

    def _begin(self, tag: str, of: dict[str, str]) -> None:
        line = self.parser.CurrentLineNumber
        if len(self._open) > _DEEPEST:
            raise ManifestError(f"{self.name}, line {line}: it is nested more than {_DEEPEST} deep")
        element = Element(tag, line, of)
        self._open[-1].children.append(element)
        self._open.append(element)

    def _end(self, _: str) -> None:
        self._open.pop()

    def _says(self, text: str) -> None:
        self._open[-1].text += text
