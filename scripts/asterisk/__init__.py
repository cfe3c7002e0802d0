"""Real Asterisks for the demo and the tests: where one comes from, starting and stopping it."""
