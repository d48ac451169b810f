"""One session per connection, in the language of its client."""
