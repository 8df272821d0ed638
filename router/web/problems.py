"""Sentences for what went wrong, by the word of the API's error."""

from router.web.words import N_

PROBLEMS = {
    "not_found": N_("Page not found."),
    "not_allowed": N_("You have no permission to do this."),
    "invalid_input": N_("The request is invalid."),
    "unknown_code": N_("No visitor was shown this code before the call: ask the caller again."),
    "invalid_tag": N_("A tag has 1 to 40 letters, digits, spaces and . : - _"),
    "unnamed_view": N_("Give the view a name."),
    "invalid_line": N_("A line of a transcript has 1 to 4000 letters."),
    "empty_sample": N_("No answered call matches. Choose other weeks or fewer filters."),
    "incomplete_card": N_(
        "The weights must add up to 100, and each question needs a weight or is critical."
    ),
    "incomplete_score": N_("Answer all questions first; at least one must apply."),
    "call_back_right": N_("You may not call back: an administrator can allow it."),
    "call_back_phone": N_("You have no phone that can ring: an administrator can enter it."),
    "call_back_number": N_("This number may not be called: it is foreign or costly."),
    "call_back_withheld": N_("The caller's number is not known."),
    "call_back_busy": N_("Your last call back is still in progress."),
    "call_back_other": N_("A colleague is calling this customer."),
    "call_back_often": N_("Too many calls back: wait a minute."),
    "invalid_entry": N_(
        "Enter a phone number, or at least four of its first digits with * behind."
    ),
    "invalid_file": N_("The file is no text in UTF-8 or UTF-16."),
    "invalid_rule": N_(
        "A rule needs a name, at least one condition, and something to set: a tag, target call, "
        "spam or a review, but not target call and spam at once."
    ),
    "invalid_words": N_(
        "A word list needs a tag of 1 to 40 letters, and 1 to 200 words or phrases of at most 80 "
        "letters each."
    ),
    "dependent_rules": N_(
        "Rules cannot depend on each other: a tag that one rule sets cannot be a condition of "
        "another one, or of itself."
    ),
    "conflict": N_("Someone else has changed this. Check it and try again."),
    "too_many_attempts": N_("Too many attempts: wait a minute and try again."),
    "took_too_long": N_(
        "The search took too long and was stopped. Choose fewer days, or enter more "
        "of the number or name."
    ),
    "unavailable": N_("A service that Ringtrace needs does not respond. Try again in a moment."),
    "internal": N_("Internal error; it has been logged."),
}
PROBLEM = N_("The request failed.")
