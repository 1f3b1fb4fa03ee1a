"""What Gradio keeps of each browser tab, without what it keeps for nothing.

Gradio 6.31 copies the whole page's configuration for each tab, for links that restore a page, which this one has not;
makes a component anew for each update of it and keeps that too; and holds ten thousand tabs. That is 1.5 to 4 MB a tab.
"""

from __future__ import annotations

import json
from collections import ChainMap
from collections.abc import Iterator
from copy import copy
from typing import Any
from weakref import WeakValueDictionary

from gradio.blocks import Block, Blocks
from gradio.queueing import Queue
from gradio.state_holder import SessionState, StateHolder

from llamafarm.ui.tabs import Tabs


class Shared:
    """The components that tabs have in another form than the page began with, each form once for all tabs."""

    def __init__(self) -> None:
        self._forms: WeakValueDictionary[tuple[int, str], Block] = WeakValueDictionary()

    def form(self, key: int, block: Block) -> Block:
        """The one component that stands for all with the same arguments."""
        told = json.dumps(block.constructor_args, sort_keys=True, default=repr)
        return self._forms.setdefault((key, told), block)


class TabState(SessionState):
    """One tab's components: the page's own, but for those that were changed."""

    def __init__(self, blocks: Blocks, shared: Shared) -> None:
        # Not the base's: that is what copies everything.
        config = copy(blocks.default_config)
        self._own: dict[int, Block] = {}
        # For all that is done with it here a chain is as good as the dict that it stands for.
        config.blocks = ChainMap(self._own, blocks.default_config.blocks)  # type: ignore[assignment]
        config.fns = blocks.default_config.fns
        self.blocks_config = config
        self.config_values: dict[int, dict[str, Any]] = {}
        self.state_data: dict[int, Any] = {}
        self._state_ttl = {}
        self.is_closed = False
        self._shared = shared

    @property
    def fresh(self) -> bool:
        """Whether the page is as every tab begins."""
        return not self._own

    def __setitem__(self, key: int, value: Any) -> None:
        self._own[key] = self._shared.form(key, value)

    def _update_config(self, key: int) -> None:
        """Keep nothing."""

    def _update_value_in_config(self, key: int, value: Any) -> None:
        """Keep nothing."""

    @property
    def components(self) -> Iterator[dict[str, Any]]:
        """None: no link restores this page."""
        return iter(())


class TabStates(StateHolder):
    """Gradio's states by tab: each request for one is a word of its tab, and it ends with its tab."""

    def __init__(self, tabs: Tabs) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._tabs = tabs
        tabs.ends.append(self._end)

    def set_blocks(self, blocks: Blocks) -> None:
        """As Gradio's."""
        super().set_blocks(blocks)
        self._shared = Shared()

    def __getitem__(self, session_id: str) -> SessionState:
        self._tabs.speak(session_id)
        if session_id not in self.session_data:
            self.session_data[session_id] = TabState(self.blocks, self._shared)
        return self.session_data[session_id]

    def _end(self, key: str) -> None:
        self.session_data.pop(key, None)
        queue: Queue = self.blocks._queue  # noqa: SLF001 - the same
        # What a tab that has gone did not fetch any more.
        queue.pending_messages_per_session.pop(key, None)
        queue.pending_event_ids_session.pop(key, None)
        self.blocks.pending_diff_streams.pop(key, None)
