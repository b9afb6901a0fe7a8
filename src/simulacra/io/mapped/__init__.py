"""Files of others as tables of named columns: which holds what, and events from them."""
