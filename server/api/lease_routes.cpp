// SPDX-License-Identifier: MIT
#include "server/api/lease_routes.h"

#include <functional>
#include <limits>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/base/call_store.h"
#include "lib/store/period_rules.h"
#include "lib/store/store_arguments.h"
#include "server/api/parameters.h"
#include "server/api/status_reply.h"
#include "server/log/json.h"
#include "server/store/order.h"

namespace featherid {

namespace {

constexpr std::int64_t kInt64Max = std::numeric_limits<std::int64_t>::max();

// What a call does on the store, off the event loops. Returns the data of the answer.
using Work = std::function<Result<std::string>(Leases&)>;

std::string number(std::int64_t value, bool quoted) {
  const std::string digits = std::to_string(value);
  return quoted ? '"' + digits + '"' : digits;
}

// A term is above 2^53 sooner than an id, and nobody computes with it: it is always a string.
std::string members_of(const StoreIdentity& store) {
  return R"("store":)" + json_string(store.name) + R"(,"term":)" + number(store.term, true);
}

std::string row_json(const SegmentRow& row, bool quoted) {
  std::string floor = "null";
  if (row.floor.is_set()) {
    floor = R"({"rate":)" + std::to_string(row.floor.rate) + R"(,"epoch":)" +
            std::to_string(row.floor.epoch_s) + R"(,"lead_max":)" +
            std::to_string(row.floor.lead_max_s) + R"(,"lead_only_warns":)" +
            (row.floor.lead_only_warns ? "true" : "false") + R"(,"since_id":)" +
            number(row.floor.since_id, quoted) + "}";
  }
  const std::int64_t read_at_ms = row.read_at.time_since_epoch().count();
  return R"({"biz_tag":)" + json_string(row.tag) + R"(,"max_id":)" + number(row.max_id, quoted) +
         R"(,"step":)" + std::to_string(row.step) + R"(,"cap":)" +
         (row.cap < kIdMax ? number(row.cap, quoted) : "null") + R"(,"order":")" +
         order_word(row.order) + R"(","period":)" +
         (row.period.is_set() ? json_string(period_word(row.period.kind)) : "null") +
         R"(,"period_offset":)" + std::to_string(row.period.offset_minutes) + R"(,"floor":)" +
         floor + R"(,"read_at_ms":)" + (read_at_ms != 0 ? std::to_string(read_at_ms) : "null") +
         "}";
}

std::string changes_json(const Leases::Changes& changes, bool quoted) {
  std::string limits;
  for (const TagChanges::Limit& limit : changes.changes.limits) {
    limits += (limits.empty() ? R"({"biz_tag":)" : R"(,{"biz_tag":)") + json_string(limit.tag) +
              R"(,"max_id":)" + number(limit.max_id, quoted) + "}";
  }
  return R"({"version":)" + std::to_string(changes.changes.version) + R"(,"limits":[)" + limits +
         "]," + members_of(changes.store) + "}";
}

// --- the calls ---
// Each reads its parameters and returns its work.

StoreIdentity known_store(Parameters& given) {
  StoreIdentity known;
  known.name = given.text("store").value_or("");
  given.keep(check_text("store", known.name));
  known.term = given.number("term", 0, kInt64Max).value_or(0);
  return known;
}

Period period_of(Parameters& given) {
  const std::string text = given.text("period").value_or("");
  if (text.empty()) return {};
  const Result<Period> period = parse_period(text);
  given.keep(period.status());
  return period.ok() ? *period : Period();
}

Work lease(Parameters& given) {
  const std::string tag = given.tag();
  const std::int64_t most = given.required_number("count", 1, kLeaseIdsMax);
  const std::int64_t least =
      given.number("least", 1, std::max<std::int64_t>(most, 1)).value_or(most);
  const Period period = period_of(given);
  const StoreIdentity known = known_store(given);
  const bool quoted = given.quoted();
  return [=](Leases& leases) -> Result<std::string> {
    const Result<Leases::Leased> leased = leases.lease(tag, {least, most}, known, period);
    if (!leased.ok()) return leased.status();
    return R"({"first":)" + number(leased->range.first, quoted) + R"(,"last":)" +
           number(leased->range.last(), quoted) + R"(,"receipt":")" + leased->receipt + R"(",)" +
           members_of(leased->store) + "}";
  };
}

Work give_back(Parameters& given) {
  Leases::Tail tail;
  tail.tag = given.tag();
  tail.first = given.required_number("first", 1, kIdMax);
  const std::string receipts = given.text("receipt").value_or("");
  tail.applied = given.number("applied", 0, kInt64Max).value_or(0);
  constexpr std::size_t kReceiptCharsMax = 1024;
  if (receipts.size() > kReceiptCharsMax) given.keep(invalid_parameter("receipt is too long"));
  std::istringstream texts(receipts);
  for (std::string text; std::getline(texts, text, ',');) {
    given.keep(check_text("receipt", text));
    tail.receipts.push_back(std::move(text));
  }
  if (tail.receipts.empty()) {
    given.keep(invalid_parameter("receipt is missing; add the one that came with the lease"));
  }
  return [=](Leases& leases) -> Result<std::string> {
    const Result<std::string> refused = leases.give_back(tail);
    if (!refused.ok()) return refused.status();
    return refused->empty() ? std::string(R"({"given_back":true,"reason":null})")
                            : R"({"given_back":false,"reason":)" + json_string(*refused) + "}";
  };
}

Work find(Parameters& given) {
  const std::string tag = given.tag();
  const StoreIdentity known = known_store(given);
  const bool quoted = given.quoted();
  return [=](Leases& leases) -> Result<std::string> {
    const Result<SegmentRow> row = leases.find(tag, known);
    return row.ok() ? Result<std::string>(row_json(*row, quoted)) : row.status();
  };
}

Work changes(Parameters& given) {
  const std::int64_t version = given.number("version", -1, kInt64Max).value_or(-1);
  const StoreIdentity known = known_store(given);
  const bool quoted = given.quoted();
  return [=](Leases& leases) -> Result<std::string> {
    const Result<Leases::Changes> changed = leases.changes(version, known);
    return changed.ok() ? Result<std::string>(changes_json(*changed, quoted)) : changed.status();
  };
}

Work probe(Parameters& given) {
  const StoreIdentity known = known_store(given);
  return [=](Leases& leases) -> Result<std::string> {
    const Result<StoreIdentity> store = leases.probe(known);
    return store.ok() ? "{" + members_of(*store) + "}" : Result<std::string>(store.status());
  };
}

// --- from the request to the answer ---

// The answer of a call says for which call it is, so that nobody takes it for the answer of another
// one: a cache in between, or one that mixes up answers, would hand out ids again.
std::string nonce_of(Parameters& given) {
  std::string nonce = given.text("nonce").value_or("");
  given.keep(check_text("nonce", nonce));
  return nonce;
}

// `data` is an object with members.
std::string with_nonce(std::string data, const std::string& nonce) {
  if (!nonce.empty()) data.insert(data.size() - 1, R"(,"nonce":)" + json_string(nonce));
  return data;
}

using ReadCall = Work (*)(Parameters&);

class LeaseRoutes {
 public:
  LeaseRoutes(Leases& leases, StoreCalls& calls) : leases_(leases), calls_(calls) {}

  void serve(Exchange& exchange, ReadCall read) const {
    const Exchange::Wait& wait = exchange.wait;
    if (wait.expired) {
      return exchange.reply.fail_for_now(
          "the store has not answered in time; if it still leases, the ids are lost, which costs a "
          "gap");
    }
    if (!wait.over) return begin(exchange, read);
    if (!wait.outcome.status.ok()) return fail(exchange.reply, wait.outcome.status);
    exchange.reply.succeed(wait.outcome.data);
  }

 private:
  void begin(Exchange& exchange, ReadCall read) const {
    Parameters parameters(exchange.query);
    Work work = read(parameters);
    std::string nonce = nonce_of(parameters);
    if (!parameters.status().ok()) return fail(exchange.reply, parameters.status());
    exchange.park([&leases = leases_, &calls = calls_, deadline = exchange.wait.deadline,
                   work = std::move(work),
                   nonce = std::move(nonce)](const Exchange::Resume& resume) {
      const bool posted = calls.post(StoreCalls::Lane::kLeases, [=, &leases] {
        // Nobody waits for a call that comes to its turn too late.
        if (Exchange::Clock::now() >= deadline) return;
        const Result<std::string> data = call_store<std::string>([&] { return work(leases); });
        Exchange::Outcome outcome(data.status());
        if (data.ok()) outcome.data = with_nonce(*data, nonce);
        resume(outcome);
      });
      if (!posted)
        resume(Status(StatusCode::kUnavailable, "too many calls are waiting; try again"));
    });
  }

  Leases& leases_;
  StoreCalls& calls_;
};

}  // namespace

void add_lease_routes(Router& router, Leases& leases, StoreCalls& calls) {
  const LeaseRoutes routes(leases, calls);
  const auto add = [&](const char* path, const char* method, ReadCall read,
                       std::vector<std::string> parameters) {
    router.add(path, {method,
                      Effect::kLeases,
                      [routes, read](Exchange& exchange) { routes.serve(exchange, read); },
                      {},
                      std::move(parameters)});
  };
  constexpr const char* kLease = "/api/v1/lease";
  add(kLease, "POST", lease,
      {"biz_tag", "count", "least", "period", "store", "term", "nonce", "as"});
  add(kLease, "GET", probe, {"store", "term", "nonce"});
  add("/api/v1/lease/tag", "GET", find, {"biz_tag", "store", "term", "nonce", "as"});
  add("/api/v1/lease/changes", "GET", changes, {"version", "store", "term", "nonce", "as"});
  add("/api/v1/lease/give_back", "POST", give_back,
      {"biz_tag", "first", "receipt", "applied", "nonce"});
}

}  // namespace featherid
