"""What is known about a visit from outside: browser, place and referrer."""
