"""The sessions: one per connection, in the protocol of its client."""
