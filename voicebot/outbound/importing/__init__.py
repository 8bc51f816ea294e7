"""From an operator's table (CSV, XLSX) to contacts in the store: each row is taken in, or told why not."""
