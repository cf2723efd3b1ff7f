"""Seeds: Jinja templates over Cypher whose values travel as parameters, loaded exactly once.

In this order: ``prepare`` (files and templates, no database), ``decide`` (what the ledger says; no write), and, under the lock,
``decide`` again and ``loader.run``. ``checks`` has ``check`` and ``show``.
"""

from graphmigrate.seeds.plan import Decided, Preparation, PreparedSeed, catalogue, decide, prepare

__all__ = ["Decided", "Preparation", "PreparedSeed", "catalogue", "decide", "prepare"]
