"""The table of a journal, and its views, as SQL: part of the format of the file."""

from __future__ import annotations

SCHEMA = """
CREATE TABLE journal (
  seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, key TEXT NOT NULL, state TEXT NOT NULL,
  epoch INTEGER NOT NULL, run_s REAL NOT NULL, utc TEXT NOT NULL, monotonic_s REAL NOT NULL,
  boot_id TEXT NOT NULL, detail TEXT NOT NULL CHECK (json_valid(detail)), hash TEXT NOT NULL);
CREATE INDEX journal_kind ON journal (kind, seq);
CREATE TRIGGER journal_no_update BEFORE UPDATE ON journal
  BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER journal_no_delete BEFORE DELETE ON journal
  BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE VIEW frame AS SELECT seq, key, kind, state, run_s, utc,
  detail ->> 'path' AS path, detail ->> 'sha256' AS sha256,
  detail ->> 'well' AS well, detail ->> 'field' AS field, detail ->> 'round' AS round,
  detail ->> 'channel' AS channel, detail ->> 'exposure_ms' AS exposure_ms,
  detail ->> 'focus' AS focus,
  detail ->> 'x_asked_um' AS x_asked_um, detail ->> 'y_asked_um' AS y_asked_um,
  detail ->> 'x_reached_um' AS x_reached_um, detail ->> 'y_reached_um' AS y_reached_um,
  detail ->> 'position_verified' AS position_verified,
  detail ->> 'offset_s' AS offset_s, detail ->> 'lateness_s' AS lateness_s,
  detail ->> 'reason' AS reason
  FROM journal WHERE kind IN ('frame', 'film') AND state IN ('confirmed', 'missed', 'failed');
CREATE VIEW deviation AS SELECT seq, key, run_s, utc, detail FROM journal
  WHERE kind = 'deviation';
CREATE VIEW command AS SELECT seq, key, state, run_s, utc, detail FROM journal
  WHERE kind = 'command';
"""
APART = """
CREATE VIEW apart AS
  SELECT seq, kind, key, state, epoch, run_s, utc, detail FROM journal WHERE state <> 'gathered'
  UNION ALL
  SELECT seq, kind, key.value, detail ->> '$.state', epoch, one.value ->> 0,
    strftime('%Y-%m-%dT%H:%M:%f+00:00', utc, ((one.value ->> 0) - run_s) || ' seconds'),
    (SELECT json_group_object(name.value, json(
       journal.detail -> ('$.said[' || (one.value ->> 1) || '][1][' || name.key || ']')))
     FROM json_each(journal.detail, '$.names[' || (
       journal.detail ->> ('$.said[' || (one.value ->> 1) || '][0]')) || ']') AS name)
  FROM journal, json_each(journal.detail, '$.rows') AS one, json_each(one.value) AS key
  WHERE state = 'gathered' AND key.key > 1;
CREATE VIEW sample AS SELECT seq, key, run_s, utc, detail FROM apart WHERE kind = 'sample';
CREATE VIEW event AS SELECT seq, kind, key, state, epoch, run_s, utc, detail FROM apart
  WHERE kind IN ('level', 'dose', 'train', 'frame', 'film', 'reading');
"""
