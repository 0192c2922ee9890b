"""Principals: those who ask, with their role and the tags that they are limited to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from index.tags import tags_of
from qa.errors import NotAllowed
from qa.state.conversations import LOCAL_OWNER

Role = Literal["reader", "writer", "monitor", "admin"]
Permission = Literal["open", "read", "write", "metrics", "admin"]
"""Right that a request needs; `open` ones need none."""

_PERMISSIONS: dict[Role, frozenset[Permission]] = {
    "reader": frozenset({"open", "read"}),
    "writer": frozenset({"open", "read", "write"}),
    # Numbers alone: what scrapes them lies in the configuration of another program.
    "monitor": frozenset({"open", "metrics"}),
    "admin": frozenset({"open", "read", "write", "metrics", "admin"}),
}


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody who asks.

    `owner` is the name under which their conversations and uploads are stored. Without `tags` they
    may reach all documents, else only those with any of the tags. `rate` is the number of questions
    a minute that they may ask, 0 for any number.
    """

    name: str
    owner: str
    role: Role
    tags: tuple[str, ...] = ()
    rate: int = 0

    def may(self, permission: Permission) -> bool:
        """Return True if the role has a permission."""
        return permission in _PERMISSIONS[self.role]

    def upload_tags(self, wanted: Iterable[str]) -> tuple[str, ...]:
        """Return the tags that a document of this principal gets, if these are wanted.

        Somebody limited to one tag need not name it. Raises InvalidTag, or NotAllowed for a tag of
        others or for none where there is a choice.
        """
        tags = tags_of(wanted)
        if not self.tags:
            return tags
        others = [tag for tag in tags if tag not in self.tags]
        if others:
            raise NotAllowed(
                f"your key may give the tags {', '.join(self.tags)} and no others, "
                f"got {others[0]!r}"
            )
        if not tags and len(self.tags) > 1:
            raise NotAllowed(
                "your key is limited to documents with tags: "
                f"name at least one of {', '.join(self.tags)}"
            )
        return tags or self.tags


LOCAL = Principal("local", LOCAL_OWNER, "admin")
"""The person who uses this machine, where no keys are needed."""


def local_owner(owner: str) -> Principal:
    """Return the local principal with conversations apart from those of others."""
    return replace(LOCAL, owner=owner)


def chat_principal(owner: str, tags: Iterable[str]) -> Principal:
    """Return the principal of a channel of a chat service, which has proved itself.

    `owner` is that of the channel's conversations; `tags` limit what the channel may read.
    """
    return Principal(owner, owner, "reader", tuple(tags))
