"""How each control of docs/safety.md is removed: what stands in its file, and what stands there without it."""

from __future__ import annotations

REMOVED: dict[str, tuple[str, str]] = {
    "C1": ('if standing.standing == "same")\n    counts_for', "if True)\n    counts_for"),
    "C2": ("elif any(same_person(executor, who) for who in approvers):", "elif not executor:"),
    "C3": ("when relation <> '' or numbers_differ then", "when numbers_differ then"),
    "C4": (" or not told_from_family then", " then"),
    "C5": (
        'if len(numbers) < 2:\n        return None\n    return Found("two valid',
        'if True:\n        return None\n    return Found("two valid',
    ),
    "C6": ("*((*ids, -inf) for ids in apart)", "*((*ids, 0.0) for ids in apart)"),
    "C7": ('return any(entry.verdict == "different" for entry in standing.entries)', "return False"),
    "C8": ("    found |= _contradicted(found, survivor)\n", ""),
    "C9": ("UNSEEN_PAIR = -4.0", "UNSEEN_PAIR = 0.75 + 1e-9"),
    "C10": ("where not is_someone_else and (", "where ("),
    "C11": ("(h.issuer = p.issuer or h.issuer is null)", "true"),
    "C12": ("        if self.next_id:\n", "        if False:\n"),
    "C13": ("    if row.torn:\n", "    if False:\n"),
    "C20": (
        'return entry.verdict != "different" or not before or not now or brings_nearer(before, now)',
        "return False",
    ),
    "C21": ("if plan_hash is not None and plan.plan_hash != plan_hash:", "if False:"),
    "C22": (
        '_STILL_ASKED = frozenset({"NHS_NUMBERS_DIFFER", "RESTRICTED", "DECEASED_AND_ALIVE"})',
        "_STILL_ASKED = frozenset(())",
    ),
    "C23": ("why = contested(entries, merges)", "why: dict[str, str] = {}"),
    "C24": ('return entry.verdict == "same" and entry.sequence_number < apart_since', "return False"),
    "C30": (
        "        if not found or plan_hash not in {None, found[0].plan_hash}:",
        '        found = found or [e for e in self.entries if e.kind == "signoff"] or self.entries\n        if False:',
    ),
    "C31": ("        if broken := first_broken(self.entries):", "        if broken := None:"),
    "C32": ("    if missing := first_missing(warehouse, entries):", "    if missing := None:"),
    "C33": ("if user != asking.reviewer.user_id:", "if False:"),
    "C40": ("if not losing or case.choices.move_active_orders:", "if True:"),
    "C41": ("    if not torn:\n", "    if True:\n"),
    "C42": (
        'return Found("the status says that the record is restricted", restricted) if restricted else None',
        "return None",
    ),
    "C43": ("    if not died or not alive:\n", "    if True:\n"),
    "C44": ("    if case.choices.aliases:\n", "    if True:\n"),
    "C45": (
        "    if unknown := tables_without_policy(table for (table,) in found):\n",
        "    if unknown := list[str]():\n",
    ),
    "C50": ("if wrong := [table for table in tables if before[table] != after[table]]:", "if wrong := list[str]():"),
    "C51": (
        "with self.warehouse.transaction():\n            self._check()\n            return self._move",
        "if True:\n            self._check()\n            return self._move",
    ),
    "C52": ("        if merge_id in own:\n", "        if False:\n"),
    "C53": (
        "            with warehouse.transaction():\n                write_rows(",
        '            path.write_bytes(b"")\n            with warehouse.transaction():\n                write_rows(',
    ),
    "C54": ('for table in ("raw.rejected_rows", "raw.unread_values"):', "for table in ():"),
    "C55": ("        unchanged = state_of(path) == state\n", "        unchanged = True\n"),
    "C56": ("    if not set(references) <= known:\n", "    if True:\n"),
    "C57": ("        if not part.success:\n", "        if False:\n"),
    "C58": ("        self.warehouse.checkpoint()\n        if state_of", "        if state_of"),
    "C59": (
        "    with open_warehouse(settings) as warehouse, warehouse.transaction():\n"
        "        with open_decisions(settings) as store:  # once nobody can carry a sign-off out meanwhile\n"
        "            signed = signed_off(store.entries())\n",
        "    with open_decisions(settings) as store:\n        signed = signed_off(store.entries())\n"
        "    with open_warehouse(settings) as warehouse, warehouse.transaction():\n"
        "        with open_decisions(settings) as store:\n",
    ),
    "C97": ("    see_that_it_is_newest(warehouse)\n", ""),
    "C98": ("        with warehouse.transaction():\n            done", "        if True:\n            done"),
    "C99": ("        if remade[table] != before:\n", "        if False:\n"),
    "C60": (
        '("client_id", "survivor_id") if table == _CLIENTS else ("origin_client_id", "client_id")',
        '("client_id", "survivor_id") if table == _CLIENTS else ("client_id", "client_id")',
    ),
    "C61": ("touched(partial)),", "()),"),
    "C62": ("        if plan.unfinished and not plan.undoes:\n", "        if False:\n"),
    "C70": ("coalesce(x.survivor_id, l.client_id) as client_id", "l.client_id as client_id"),
    "C71": ("    client.mobile_e164,\n", ""),
    "C72": ("    merges = [signed.merge for signed in live.values()]\n", "    found, merges = [], []\n"),
    "C73": ("_SWAPPED, 0.01, 0.00002", '"false", 0.01, 0.00002'),
    "C74": ('(folder / "pairs" / "_SUCCESS").exists()', '(folder / "pairs").exists()'),
    "C75": ("    if odd > MOST_ODD * compared:\n", "    if False:\n"),
    "C80": ("            self.hidden |= headings\n", ""),
    "C81": (
        'observed = f"observed {value}" if isinstance(value, int | float) else "observed otherwise"',
        'observed = f"observed {found}"',
    ),
    "C82": ("        left=_mask_side(candidate.left),\n", ""),
    "C83": ("if user and await run_in_threadpool(is_permitted, user, self.provider.called(permission)):", "if user:"),
    "C84": ('_FORMULA = r"^([=+\\-@\\t\\r\\n])"', '_FORMULA = r"^(=nothing)"'),
    "C85": ("_OTHERS = 0o077\n", "_OTHERS = 0o002\n"),
    "C86": ('        if type(error).__module__.partition(".")[0] in _KNOWN:\n', "        if True:\n"),
    "C87": ("    rewrite_warehouse(settings)\n", ""),
    "C88": ("        if not is_plain_file(path):\n", "        if not (is_plain_file(path) or path.is_symlink()):\n"),
    "C89": ("        if fingerprint(settings) != manifest.fingerprint:\n", "        if False:\n"),
    "C90": ("        handover.discard(settings)\n", ""),
    "C91": ('if self.key and self.match.engine == "spark":', "if False:"),
    "C92": ("if (other := owners.setdefault(place, one.name)) != one.name:", "if (other := '') or not owners:"),
    "C93": ("and _place(url) == _written(other.home):", "and not url:"),
    "C94": ("    variable = whose(home).key_variable\n", "    variable = KEY_VARIABLE\n"),
    "C95": ("self.provider.called(REVIEW)", "REVIEW"),
    "C96": (
        'Path(provider.inbox or params["inbox"] or settings.inbox)',
        'Path(params.get("inbox") or provider.inbox or settings.inbox)',
    ),
}
