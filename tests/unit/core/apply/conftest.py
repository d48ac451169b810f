"""A client of the tree /d, and a large directory in it whose end is applied in slices
(`pieces`)."""

import pytest

from gamin.core.model.subscription import Scope
from testkit.doubles.clients import View
from testkit.doubles.engine import Shell
from tests.unit.core.apply.pieces import Pieces, furnished


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Shell:
    return furnished(monkeypatch)


@pytest.fixture
def tree(shell: Shell) -> View:
    view = shell.view()
    view.subscribe(b"/d", Scope.TREE)
    view.rows()
    return view


@pytest.fixture
def pieces(shell: Shell, tree: View) -> Pieces:
    return Pieces(shell, tree)
