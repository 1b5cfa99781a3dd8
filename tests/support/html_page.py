"""Web pages taken apart."""

from __future__ import annotations

from html.parser import HTMLParser

VOID = {"meta", "br", "link", "img", "input", "hr"}


class Page(HTMLParser):
    """A page taken apart: tags that stay open, ids, sections, references."""

    def __init__(self, text):
        super().__init__()
        self.open, self.ids, self.tags, self.links, self.sections = [], [], set(), [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        """Note a tag and what it refers to."""
        self.tags.add(tag)
        values = dict(attrs)
        self.ids += [values["id"]] if "id" in values else []
        self.sections += [values["id"]] if tag == "section" else []
        self.links += [values[key] for key in ("src", "href", "data") if key in values]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        """Note a tag that closes itself."""
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag):
        """Close the innermost tag, which must be this one."""
        assert self.open.pop() == tag
