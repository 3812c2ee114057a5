"""The AWS emulator of the local cloud and of the tests, changed to answer as AWS does."""
