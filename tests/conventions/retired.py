"""Names and words that the code and the documents no longer use.

GLOSSARY.md has the terms that took their place.
"""

_NAMES = """
_astray _by_keeper _distrusted _given_up _heard_ns _instead _is_turn _keeper _Leaving
_left_for_good _listen_again _look_again _look_for _looks_on_trust _noticed _pictured
_say_mistakes _say_once _say_renamed _talkative _told _told_ns adrift Attempt BadSetting
Bindings by_kind CannotRun concerns_rules connect_modern connect_v1 COST_SHARE count_raw
dirty_ones dirty_through disprove distrust Doubts EitherBackend enlist Enters Examine
Explore FEWEST_STEPS final_look flush_withheld for_whom forget_after ghosts good_ns
hang_up has_died has_noticed hear_all hear_v1 Heard heard HEAVY HELD_NS holds_back
hooked HOPELESS hot_content incarnation InsideVcs is_announced is_clogged is_kept
is_noticed is_of keeper kernel_tells_names last_look LEFT_TO_OTHERS load_known
LONGEST_ABSTRACT LONGEST_EVENT LONGEST_FILE LONGEST_SETTLE LONGEST_STOP look_again
look_below LOOKS_ON_TRUST MODERN modern_directories modern_file modern_path ModernFace
MOST_AHEAD MOST_AT_ONCE MOST_BY_DEFAULT MOST_CONNECTIONS MOST_COUNTED MOST_CURSORS
MOST_NAMED MOST_PINGS MOST_SHOWN MOST_STEPS MOST_UNGREETED MOST_UNREAD NameTaken
NoAnswer Noted PathWish raise_latest redecide Remarks rights_changed rules_after
ServerMute ServerUnusable share_out SHORTEST_INTERVAL slashed step_into take_dirty
tell_all tell_everything tell_polling tell_what tell_withheld Teller telling TimedOut
Told told_for told_ns told_of told_until tree_look TreeLook unlist unreported
UnsafePlace untold Untold USUAL_DELAY V1Face watch_another Withheld withholds
"""

NAMES = frozenset(_NAMES.split())
"""Identifiers that were renamed."""

WORDS = {
    "notic(e|es|ed|ing)": "detect",
    "tell|tells|told|telling": "report, deliver; distinguish",
    "hear|hears|heard": "receive",
    "(take|takes|took|taken|taking) in(?! (slices|addition|a|an|the|one|order|its))": (
        "apply, load"
    ),
    "look(s|ed|ing)? again": "probe, scan, poll",
    "it is looked": "probe, scan, poll",
    "hammered": "written all the time",
    "keepers?": "shared subscription",
    "withheld|withholds?": "deferred, defer",
    "by turns|in a turn": "alternately; iteration",
    "anew": "again",
}
"""Words of prose, as regular expressions, each with what to write in its place."""
