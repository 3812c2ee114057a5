"""Load: many uploads at once through the API of a deployed environment, checked and measured."""
