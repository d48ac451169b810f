"""The own tests of watchfiles and watchdog, also over the service."""
