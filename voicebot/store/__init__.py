"""What must survive anything, in a database: campaigns, contacts, attempts, do-not-call lists, the ledger."""
