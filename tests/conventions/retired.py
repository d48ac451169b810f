"""Names and words that the code no longer uses, and the packages where that is held.

GLOSSARY.md has the terms that took their place.
"""

_NAMES = """
_astray _distrusted _given_up _instead _is_turn _Leaving _left_for_good _look_again
_look_for _pictured _talkative _told_ns adrift Attempt BadSetting Bindings by_kind
CannotRun concerns_rules COST_SHARE count_raw dirty_ones dirty_through disprove
distrust Doubts EitherBackend enlist Enters Examine Explore FEWEST_STEPS for_whom
forget_after ghosts good_ns hang_up has_died has_noticed HEAVY HELD_NS holds_back
hooked HOPELESS hot_content incarnation InsideVcs is_announced is_clogged is_kept
is_of last_look LEFT_TO_OTHERS load_known LONGEST_ABSTRACT LONGEST_EVENT
LONGEST_FILE LONGEST_SETTLE LONGEST_STOP look_again ModernFace MOST_AHEAD
MOST_AT_ONCE MOST_BY_DEFAULT MOST_CONNECTIONS MOST_COUNTED MOST_CURSORS MOST_NAMED
MOST_PINGS MOST_SHOWN MOST_STEPS MOST_UNGREETED MOST_UNREAD NameTaken NoAnswer Noted
PathWish raise_latest redecide Remarks rights_changed rules_after ServerMute
ServerUnusable share_out SHORTEST_INTERVAL slashed step_into take_dirty tell_all
tell_everything tell_polling TimedOut told_ns unlist unreported UnsafePlace untold
Untold USUAL_DELAY V1Face watch_another Withheld withholds
"""

NAMES = frozenset(_NAMES.split())
"""Identifiers that were renamed."""

WORDS = (
    "notice(d|s)?",  # detect
    "noticing",
    "tell",  # report, deliver
    "tells",
    "told",
    "telling",
    "tak(e|es|en|ing) in",  # apply, load
    "look(s|ed|ing)? again",  # scan, probe, rescan
    "hammered",  # constantly written
    "keeper",  # shared subscription
    "in a turn",  # loop iteration
    "turns",
    "it is looked",
)
"""Words of comments and docstrings, as regular expressions; behind each the term that
replaces it."""

CLEAN = ("system/socketdir", "system/statx", "system/mountinfo")
"""Packages and modules whose prose is free of them."""
