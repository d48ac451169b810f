import pytest

from gamin.protocol.watchman import arguments as module
from gamin.protocol.watchman import requests as ask
from gamin.protocol.watchman.errors import BadCommand, BadRequest


def test_a_command_with_a_root_takes_nothing_else() -> None:
    read = module.of_root(ask.GetConfig)
    assert read("get-config", ["/a"]) == ask.GetConfig(b"/a")
    for wrong in ([], ["/a", "b"]):
        with pytest.raises(BadCommand, match="wrong number of arguments"):
            read("get-config", wrong)


@pytest.mark.parametrize("root", [None, 5, "", "relative", "/" + "x" * 100_000])
def test_a_root_is_an_absolute_path_of_a_bounded_length(root: object) -> None:
    with pytest.raises(BadRequest):
        module.root_of([root])


def test_members_of_an_object_have_their_type_or_a_default() -> None:
    options = module.as_object({"flag": True, "names": ["a"], "wrong": 1}, "none")
    assert module.flag(options, "flag", default=False)
    assert not module.flag(options, "other", default=False)
    assert module.strings(options, "names") == ("a",)
    with pytest.raises(BadCommand, match="wrong must be boolean"):
        module.flag(options, "wrong", default=False)
    with pytest.raises(BadCommand, match="wrong field must be an array of strings"):
        module.strings(options, "wrong")
    with pytest.raises(BadCommand, match="no object"):
        module.as_object([], "no object")
