"""What a campaign came to: a table with a row for each contact, and a page with charts."""
