# SPDX-License-Identifier: MIT
# Reads test/bench/budgets and then figures (`name value unit`). Prints each figure with its budget and
# verdict, and writes them to the file `json`. Exits with 1 if a budget of `what` is missed or, if `whole`, was not
# measured. (scripts/bench sets these variables.)

# The budget of a name with * in it, as a regular expression.
function pattern(name) {
  gsub(/[.]/, "[.]", name)
  gsub(/[*]/, ".*", name)
  return "^" name "$"
}

FNR == 1 { file++ }

file == 1 {
  if ($1 == what) {
    budgets++
    names[budgets] = $2
    operators[budgets] = $3
    limits[budgets] = $4
  }
  next
}

NF != 3 {
  print "scripts/bench: not a figure: " $0 > "/dev/stderr"
  failed = 1
  next
}

{
  budget = "-"
  verdict = "-"
  holds = "null"
  for (i = 1; i <= budgets; i++) {
    if ($1 !~ pattern(names[i])) continue
    measured[i] = 1
    budget = operators[i] limits[i]
    ok = operators[i] == "<=" ? $2 + 0 <= limits[i] + 0 : $2 + 0 >= limits[i] + 0
    verdict = ok ? "ok" : "MISSED"
    holds = ok ? "true" : "false"
    if (!ok) failed = 1
  }
  printf "%-44s %12s %-9s %-8s %s\n", $1, $2, $3, budget, verdict
  fflush()
  figures = figures (figures == "" ? "" : ",\n") \
    sprintf("    {\"name\": \"%s\", \"value\": %s, \"unit\": \"%s\", \"budget\": \"%s\", \"holds\": %s}",
            $1, $2, $3, budget, holds)
}

END {
  for (i = 1; i <= budgets && whole; i++) {
    if (measured[i]) continue
    print "scripts/bench: nothing was measured for the budget " names[i] > "/dev/stderr"
    failed = 1
  }
  printf "{\n  \"commit\": \"%s\",\n  \"machine\": \"%s\",\n  \"figures\": [\n%s\n  ]\n}\n",
    commit, machine, figures > json
  exit failed
}
