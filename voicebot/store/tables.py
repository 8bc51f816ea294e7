"""The tables, as the newest migration leaves them.

Times are Unix ms (UTC) in BIGINT, mappings are JSON in TEXT (hashed texts must come back byte by byte),
truths are 0 and 1, `contacts.asked` is 0 or the time that was asked for. Numbers are found by their key
(`ledger.number_key`) alone; in plain they stand only where `erase` can drop them.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData()

meta = Table(
    "meta",
    metadata,
    Column("name", Text, primary_key=True),
    Column("n", BigInteger, nullable=False),
    Column("text", Text, nullable=False),
    sqlite_with_rowid=False,
)
"""`secret` (text), `changes` (n: goes up with each change that wakes diallers), next ids (n)."""

limits = Table(
    "limits",
    metadata,
    Column("name", Text, primary_key=True),
    Column("tokens", Float, nullable=False),
    Column("at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""Token buckets for calls a second. Who claims locks the row `all` first; its `at` is the latest claim's."""

campaigns = Table(
    "campaigns",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False, unique=True),
    Column("settings", Text, nullable=False),
    Column("folder", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("proof", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
)

contacts = Table(
    "contacts",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("campaign_id", Integer, nullable=False),
    Column("key", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("due", BigInteger, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("numbers", Text, nullable=False),
    Column("number_index", Integer, nullable=False),
    Column("zones", Text, nullable=False),
    Column("given", Text, nullable=False),
    Column("consent", Text),
    Column("language", Text, nullable=False),
    Column("asked", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("past", Text, nullable=False),
    Column("line", Integer),
    UniqueConstraint("campaign_id", "key"),
)
Index(
    "contacts_due",
    contacts.c.campaign_id,
    contacts.c.priority,
    contacts.c.due,
    sqlite_where=text("state = 'due'"),
    postgresql_where=text("state = 'due'"),
)
Index(
    "contacts_held",
    contacts.c.campaign_id,
    sqlite_where=text("state = 'held'"),
    postgresql_where=text("state = 'held'"),
)

contact_numbers = Table(
    "contact_numbers",
    metadata,
    Column("number_key", Text, nullable=False),
    Column("contact_id", BigInteger, nullable=False),
    PrimaryKeyConstraint("number_key", "contact_id"),
    sqlite_with_rowid=False,
)

attempts = Table(
    "attempts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("campaign_id", Integer, nullable=False),
    Column("contact_id", BigInteger, nullable=False),
    Column("number", Text, nullable=False),
    Column("number_key", Text, nullable=False),
    Column("number_index", Integer, nullable=False),
    Column("trunk", Text, nullable=False),
    Column("dial", Text, nullable=False),
    Column("caller_number", Text, nullable=False),
    Column("caller_name", Text, nullable=False),
    Column("ring_s", Integer, nullable=False),
    Column("ask_amd", Integer, nullable=False),
    Column("due", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("dialler", Text, nullable=False),
    Column("lease_until", BigInteger, nullable=False),
    Column("claimed_at", BigInteger, nullable=False),
    Column("handed_at", BigInteger),
    Column("dialling_at", BigInteger),
    Column("answered_at", BigInteger),
    Column("dial_result", Text),
    Column("call_result", Text),
    Column("disposition", Text),
    Column("closed_at", BigInteger),
    Column("minutes", Integer, nullable=False),
)
Index(
    "attempts_open",
    attempts.c.campaign_id,
    attempts.c.trunk,
    sqlite_where=text("state <> 'closed'"),
    postgresql_where=text("state <> 'closed'"),
)
Index(
    "attempts_one_open",
    attempts.c.contact_id,
    unique=True,
    sqlite_where=text("state <> 'closed'"),
    postgresql_where=text("state <> 'closed'"),
)
Index("attempts_number", attempts.c.number_key, attempts.c.claimed_at)
Index("attempts_campaign", attempts.c.campaign_id, attempts.c.claimed_at, attempts.c.id)

dnc_lists = Table(
    "dnc_lists",
    metadata,
    Column("name", Text, primary_key=True),
    Column("imported_at", BigInteger, nullable=False),
    Column("max_age_days", Integer),
    Column("run", BigInteger, nullable=False),
)

dnc_numbers = Table(
    "dnc_numbers",
    metadata,
    Column("number_key", Text, nullable=False),
    Column("list", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("how", Text, nullable=False),
    Column("run", BigInteger, nullable=False),
    PrimaryKeyConstraint("number_key", "list"),
    sqlite_with_rowid=False,
)
Index("dnc_numbers_list", dnc_numbers.c.list, dnc_numbers.c.run)

counters = Table(
    "counters",
    metadata,
    Column("campaign_id", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("n", BigInteger, nullable=False),
    PrimaryKeyConstraint("campaign_id", "kind", "name"),
    sqlite_with_rowid=False,
)

ledger = Table(
    "ledger",
    metadata,
    Column("campaign_id", Integer, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("attempt", Text, nullable=False),
    Column("contact", BigInteger),
    Column("number_key", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("payload", Text),
    Column("salt", Text),
    Column("digest", Text, nullable=False),
    Column("hash", Text, nullable=False),
    PrimaryKeyConstraint("campaign_id", "seq"),
)
Index(
    "ledger_number",
    ledger.c.number_key,
    sqlite_where=text("number_key <> ''"),
    postgresql_where=text("number_key <> ''"),
)

ledger_heads = Table(
    "ledger_heads",
    metadata,
    Column("campaign_id", Integer, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False),
    Column("hash", Text, nullable=False),
)

gateways = Table(
    "gateways",
    metadata,
    Column("name", Text, primary_key=True),
    Column("seen_at", BigInteger, nullable=False),
    Column("capacity", Integer, nullable=False),
    Column("calls", Integer, nullable=False),
)

diallers = Table(
    "diallers",
    metadata,
    Column("name", Text, primary_key=True),
    Column("seen_at", BigInteger, nullable=False),
    Column("detail", Text, nullable=False),
)

panel_users = Table(
    "panel_users",
    metadata,
    Column("name", Text, primary_key=True),
    Column("role", Text, nullable=False),
    Column("password", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("signed_in_at", BigInteger),
)

panel_sessions = Table(
    "panel_sessions",
    metadata,
    Column("key", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("began_at", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
    Column("ends_at", BigInteger, nullable=False),
    Column("address", Text, nullable=False),
    Column("browser", Text, nullable=False),
)
"""`key`: a hash of what the browser keeps. `role`: "" where it is the user's; a link's sessions have one."""
Index("panel_sessions_name", panel_sessions.c.name)

panel_tokens = Table(
    "panel_tokens",
    metadata,
    Column("name", Text, primary_key=True),
    Column("key", Text, nullable=False, unique=True),
    Column("role", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)

panel_links = Table(
    "panel_links",
    metadata,
    Column("key", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("ends_at", BigInteger, nullable=False),
)

panel_audit = Table(
    "panel_audit",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("who", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("status", Integer, nullable=False),
)
