"""What stands behind the pytest plugin: test servers, and a database that is back in its state after each test."""
