import json

import pytest

from gamin.protocol.watchman.errors import BadRequest
from gamin.protocol.watchman.global_config import GlobalConfig, parse_global_config


def parsed(*files: object) -> GlobalConfig:
    return parse_global_config(
        (f"/{number}", json.dumps(each).encode()) for number, each in enumerate(files)
    )


def test_without_a_file_everything_is_as_watchman_has_it() -> None:
    assert parsed() == GlobalConfig()
    assert GlobalConfig().root_files[0] == b".watchmanconfig"


def test_its_own_file_marks_a_project_whatever_the_list_says() -> None:
    assert parsed({"root_files": [".a"]}).root_files == (b".watchmanconfig", b".a")
    config = parsed({"root_files": [".a", ".watchmanconfig"]})
    assert config.root_files == (b".a", b".watchmanconfig")


def test_the_older_name_of_the_list_enforces_it() -> None:
    assert not parsed({"root_files": [".a"]}).enforce_root_files
    config = parsed({"root_restrict_files": [".a"]})
    assert config.enforce_root_files
    assert config.named_root_files == "`.watchmanconfig`, and `.a`"
    assert config.path == "/0"


def test_options_without_an_effect_are_checked() -> None:
    given = {"iothrottle": False, "notify_sleep_ms": 1, "enable-sanity-check": True}
    assert parsed(given) == GlobalConfig()
    with pytest.raises(BadRequest, match="/0: hint_num_dirs must be an integer"):
        parsed({"hint_num_dirs": True})


def test_a_later_file_counts_more() -> None:
    first = {"root_files": [".a"], "settle": 5, "illegal_fstypes": ["nfs"]}
    config = parsed(first, {"root_files": [".b"], "ignore_vcs": []})
    assert config.root_files == (b".watchmanconfig", b".b")
    assert config.path == "/1"
    assert config.illegal_fstypes == {"nfs"}
    assert config.root_options == {"settle": 5, "ignore_vcs": []}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (b'{"root_files": ".git"}', "root_files must be an array of strings"),
        (b'{"enforce_root_files": 1}', "enforce_root_files must be a boolean"),
        (b'{"illegal_fstypes": {}}', "illegal_fstypes must be an array of strings"),
        (b'{"ignore_vcs": [1]}', "ignore_vcs must be an array of strings"),
        (b'{"settle": -1}', "settle must be an integer from 0"),
        (b"[]", "failed to parse json from /etc/w: expected an object"),
        (b'{"a": 1,}', "failed to parse json from /etc/w"),
    ],
)
def test_a_mistake_is_reported_with_the_name_of_the_file(
    text: bytes, complaint: str
) -> None:
    with pytest.raises(BadRequest, match=complaint) as refused:
        parse_global_config([("/etc/w", text)])
    assert "/etc/w" in str(refused.value)
