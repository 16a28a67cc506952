// SPDX-License-Identifier: MIT
#include "featherid/http_store.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <optional>
#include <utility>

#include "featherid/internal/fork_guard.h"
#include "lib/base/mutex.h"
#include "lib/base/random_text.h"
#include "lib/store/http/api_answer.h"
#include "lib/store/http/api_client.h"
#include "lib/store/http/lease_receipts.h"
#include "lib/store/http/tag_answers.h"
#include "lib/store/http_client/http_address.h"
#include "lib/store/leader_term.h"
#include "lib/store/store_arguments.h"

namespace featherid {

namespace {

using Json = nlohmann::json;
using Call = ApiClient::Call;
using Repeat = ApiClient::Repeat;

constexpr const char* kTag = "/api/v1/tag";
constexpr const char* kLease = "/api/v1/lease";
constexpr const char* kChanges = "/api/v1/lease/changes";
constexpr int kPageTags = 1000;

class HttpStore final : public Store {
 public:
  HttpStore(std::shared_ptr<ApiClient> client, RecordedName name)
      : client_(std::move(client)), recorded_name_(name) {}

  Result<IdRange> lease(std::string_view tag, LeaseSize size) override;
  Result<IdRange> lease_in_period(std::string_view tag, const Period& period,
                                  LeaseSize size) override;
  Result<SegmentRow> find(std::string_view tag) override;
  Result<bool> give_back(std::string_view tag, IdRange tail) override {
    return give_back_for_other(tag, tail, applied_);
  }
  Result<TagChanges> changes(std::int64_t version) override;

  Result<std::vector<TagInfo>> list(const TagQuery& query) override;
  Result<TagInfo> info(std::string_view tag) override;
  Status create(std::string_view tag, const NewTag& tag_to_make) override;
  Status update(std::string_view tag, const TagChange& to_make) override;
  Status advance(std::string_view tag, std::int64_t max_id, std::string_view by) override;
  Result<bool> rewind(std::string_view tag, std::int64_t from, std::int64_t to,
                      std::string_view by) override;
  Status remove(std::string_view tag, std::string_view by) override;
  Status probe() override { return ask({"GET", kLease, {}, Repeat::kAlways}).status(); }

  std::string leader() const override EXCLUDES(mutex_);
  Result<StoreIdentity> identity() override;
  Result<TagChanges> changes_for_other(std::int64_t version) override;
  Result<bool> give_back_for_other(std::string_view tag, IdRange tail,
                                   std::int64_t applied) override;

 private:
  // A call of /api/v1/lease states which store this process knows, and its answer names one. The
  // answer repeats the call's nonce: what keeps, repeats or mixes up answers on the way must not
  // give one lease to two processes.
  struct Asked {
    Json data;
    std::size_t server = 0;
    StoreIdentity stated;
  };
  Result<Asked> ask(Call call);
  // Reads the answer by read(data), and the store that it names. OK if that is the one that this
  // process knows.
  template <typename Read>
  auto read_from_store(const Asked& asked, Read read) -> Result<decltype(read(Json()))>;
  Status learn(const StoreIdentity& answered, const StoreIdentity& stated) EXCLUDES(mutex_);
  StoreIdentity known() const EXCLUDES(mutex_);
  // Leases from the row of that name. `parameters`: which one that is.
  Result<IdRange> lease_row(std::string_view row, ApiClient::Parameters parameters, LeaseSize size);
  // A call that changes a tag; `by`: who. It may find that there is nothing left to change.
  enum class Done { kIsFine, kFails };
  Status change(const char* method, const char* path, ApiClient::Parameters parameters,
                std::string_view by, Done done = Done::kIsFine);

  const internal::ForkGuard fork_guard_{};
  const std::shared_ptr<ApiClient> client_;
  const RecordedName recorded_name_;
  LeaseReceipts receipts_;
  std::atomic<std::int64_t> applied_{0};  // the last change that the callers of changes() applied

  mutable Mutex mutex_;
  // Of the last lease. Without a name: no server has answered yet. Term 0: none has leased yet.
  StoreIdentity known_ GUARDED_BY(mutex_);
  std::string leader_ GUARDED_BY(mutex_);  // the server that leased last
};

StoreIdentity HttpStore::known() const {
  const MutexLock lock(mutex_);
  return known_;
}

std::string HttpStore::leader() const {
  const MutexLock lock(mutex_);
  return leader_;
}

Result<HttpStore::Asked> HttpStore::ask(Call call) {
  if (fork_guard_.forked()) return store_was_forked();
  const StoreIdentity stated = known();
  if (!stated.name.empty()) {
    call.parameters.emplace_back("store", stated.name);
    call.parameters.emplace_back("term", std::to_string(stated.term));
  }
  const std::string nonce = random_text();
  call.parameters.emplace_back("nonce", nonce);
  Result<ApiClient::Answer> answer = client_->call(call);
  if (!answer.ok()) return answer.status();
  const bool is_object = answer->data.is_object();
  if (!is_object || text_at(answer->data, "nonce") != nonce) {
    return not_of_this_call(client_->url(answer->server));
  }
  return Asked{std::move(answer->data), answer->server, stated};
}

// The server has compared the two already, but it may be of another opinion about what it answers.
Status HttpStore::learn(const StoreIdentity& answered, const StoreIdentity& stated) {
  const MutexLock lock(mutex_);
  if (known_.name.empty()) known_.name = answered.name;
  if (known_.name != answered.name) {
    return {StatusCode::kDataLoss, "a server has the store " + answered.name +
                                       ", and this process knows the store " + known_.name +
                                       "; give all servers that it uses the same database, and "
                                       "restart it"};
  }
  // Not compared with known_: answers to calls at once may come in another order than their terms.
  if (may_follow(answered.term, stated.term)) return {};
  return {StatusCode::kDataLoss,
          "the store " + answered.name +
              " is older than this process has seen it; advance every tag past the ids ever handed "
              "out (featherid advance TAG ID), and restart every process"};
}

template <typename Read>
auto HttpStore::read_from_store(const Asked& asked, Read read) -> Result<decltype(read(Json()))> {
  const std::string& url = client_->url(asked.server);
  const Result<StoreIdentity> store = read_data(asked.data, url, store_of);
  if (!store.ok()) return store.status();
  if (Status other = learn(*store, asked.stated); !other.ok()) return other;
  return read_data(asked.data, url, read);
}

// --- leases ---

Result<IdRange> HttpStore::lease(std::string_view tag, LeaseSize size) {
  if (Status status = check_lease(tag, size); !status.ok()) return status;
  return lease_row(tag, {{"biz_tag", std::string(tag)}}, size);
}

Result<IdRange> HttpStore::lease_in_period(std::string_view tag, const Period& period,
                                           LeaseSize size) {
  if (Status s = check_lease_in_period(tag, period, size); !s.ok()) return s;
  return lease_row(period_row(tag, period),
                   {{"biz_tag", std::string(tag)}, {"period", to_string(period)}}, size);
}

Result<IdRange> HttpStore::lease_row(std::string_view row, ApiClient::Parameters parameters,
                                     LeaseSize size) {
  parameters.emplace_back("count", std::to_string(size.most_ids));
  parameters.emplace_back("least", std::to_string(size.least_ids));
  parameters.push_back(kExact);
  const Result<Asked> asked = ask({"POST", kLease, std::move(parameters), Repeat::kIfRefused});
  if (!asked.ok()) return asked.status();
  struct Leased {
    IdRange range;
    std::string receipt;
    std::int64_t term;
  };
  const Result<Leased> leased = read_from_store(*asked, [](const Json& data) {
    const std::int64_t first = integer_at(data, "first");
    const std::int64_t last = integer_at(data, "last");
    const bool ids = first >= 1 && last >= first && last <= kIdMax;
    return Leased{ids ? IdRange{first, last + 1} : IdRange(), data.at("receipt").get<std::string>(),
                  store_of(data).term};
  });
  if (!leased.ok()) return leased.status();
  const std::string& url = client_->url(asked->server);
  const std::int64_t count_ids = leased->range.size();
  if (count_ids < size.least_ids || count_ids > size.most_ids) return not_of_this_api(url);
  receipts_.keep(row,
                 {leased->range, leased->receipt, asked->server, std::chrono::steady_clock::now()});
  const MutexLock lock(mutex_);
  if (may_follow(leased->term, known_.term)) known_.term = leased->term;
  leader_ = url;
  return leased->range;
}

Result<SegmentRow> HttpStore::find(std::string_view tag) {
  if (Status status = validate_tag(tag); !status.ok()) return status;
  const Result<Asked> asked =
      ask({"GET", "/api/v1/lease/tag", {{"biz_tag", std::string(tag)}, kExact}, Repeat::kAlways});
  if (!asked.ok()) return asked.status();
  return read_data(asked->data, client_->url(asked->server), row_of);
}

// The receipts are used up before they are sent, so nothing sends them twice.
Result<bool> HttpStore::give_back_for_other(std::string_view tag, IdRange tail,
                                            std::int64_t applied) {
  if (Status status = check_give_back(tag, tail); !status.ok()) return status;
  if (fork_guard_.forked()) return store_was_forked();
  const std::optional<LeaseReceipts::Taken> receipts = receipts_.take(tag, tail);
  if (!receipts) return false;
  const Result<ApiClient::Answer> answer = client_->call({"POST",
                                                          "/api/v1/lease/give_back",
                                                          {{"biz_tag", std::string(tag)},
                                                           {"first", std::to_string(tail.first)},
                                                           {"receipt", receipts->texts},
                                                           {"applied", std::to_string(applied)}},
                                                          Repeat::kNever,
                                                          receipts->server});
  if (!answer.ok()) return answer.status();
  return read_data(answer->data, client_->url(answer->server),
                   [](const Json& data) { return data.at("given_back").get<bool>(); });
}

Result<TagChanges> HttpStore::changes(std::int64_t version) {
  for (std::int64_t old = applied_; old < version;) {
    if (applied_.compare_exchange_weak(old, version)) break;
  }
  return changes_for_other(version);
}

Result<TagChanges> HttpStore::changes_for_other(std::int64_t version) {
  const std::string after = std::to_string(std::max<std::int64_t>(version, -1));
  const Result<Asked> asked =
      ask({"GET", kChanges, {{"version", after}, kExact}, Repeat::kAlways, {}, kAnswerBytesMax});
  if (!asked.ok()) return asked.status();
  return read_from_store(*asked, [](const Json& data) {
    TagChanges changes;
    changes.version = integer_at(data, "version");
    for (const Json& limit : data.at("limits")) {
      changes.limits.push_back(
          {limit.at("biz_tag").get<std::string>(), integer_at(limit, "max_id")});
    }
    return changes;
  });
}

Result<StoreIdentity> HttpStore::identity() {
  const Result<Asked> asked = ask({"GET", kChanges, {{"version", "-1"}}, Repeat::kAlways});
  if (!asked.ok()) return asked.status();
  return read_from_store(*asked, store_of);
}

// --- administration ---

Result<std::vector<TagInfo>> HttpStore::list(const TagQuery& query) {
  if (Status status = check_query(query); !status.ok()) return status;
  std::vector<TagInfo> all;
  for (std::string after = query.after;;) {
    const std::int64_t missing = query.count_max - static_cast<std::int64_t>(all.size());
    const std::string limit = std::to_string(std::min<std::int64_t>(missing, kPageTags));
    const Result<ApiClient::Answer> answer =
        client_->call({"GET",
                       "/api/v1/tags",
                       {{"prefix", query.prefix}, {"after", after}, {"limit", limit}, kExact},
                       Repeat::kAlways,
                       {},
                       kAnswerBytesMax});
    if (!answer.ok()) return answer.status();
    const Result<std::string> next =
        read_data(answer->data, client_->url(answer->server), [&all](const Json& data) {
          for (const Json& tag : data.at("tags")) all.push_back(tag_info_of(tag));
          return text_at(data, "next");
        });
    if (!next.ok()) return next.status();
    const std::int64_t count = static_cast<std::int64_t>(all.size());
    const bool goes_on = !next->empty() && *next > after && count > query.count_max - missing;
    if (!goes_on || count >= query.count_max) return all;
    after = *next;
  }
}

Result<TagInfo> HttpStore::info(std::string_view tag) {
  if (Status status = validate_tag(tag); !status.ok()) return status;
  const Result<ApiClient::Answer> answer =
      client_->call({"GET", kTag, {{"biz_tag", std::string(tag)}, kExact}, Repeat::kAlways});
  if (!answer.ok()) return answer.status();
  return read_data(answer->data, client_->url(answer->server), tag_info_of);
}

Status HttpStore::change(const char* method, const char* path, ApiClient::Parameters parameters,
                         std::string_view by, Done done) {
  if (recorded_name_ == RecordedName::kCaller) {
    parameters.emplace_back("by", std::string(by));
    if (done == Done::kFails) parameters.emplace_back("once", "yes");
  }
  return client_->call({method, path, std::move(parameters)}).status();
}

Status HttpStore::create(std::string_view tag, const NewTag& tag_to_make) {
  if (Status status = check_new_tag(tag, tag_to_make); !status.ok()) return status;
  ApiClient::Parameters parameters = parameters_of(tag, tag_to_make);
  return change("POST", kTag, std::move(parameters), tag_to_make.by, Done::kFails);
}

Status HttpStore::update(std::string_view tag, const TagChange& to_make) {
  if (Status status = check_change(tag, to_make); !status.ok()) return status;
  if (!to_make.step && is_plain(to_make)) return info(tag).status();  // there is nothing to change
  return change("PATCH", kTag, parameters_of(tag, to_make), to_make.by);
}

// A server refuses a tag that is past max_id already. Here it is where it should be.
Status HttpStore::advance(std::string_view tag, std::int64_t max_id, std::string_view by) {
  if (Status status = check_advance(tag, max_id, by); !status.ok()) return status;
  Status status = change("POST", "/api/v1/tag/advance",
                         {{"biz_tag", std::string(tag)}, {"max_id", std::to_string(max_id)}}, by);
  if (status.code() != StatusCode::kInvalidArgument) return status;
  const Result<TagInfo> row = info(tag);
  return row.ok() && row->max_id >= max_id ? Status() : status;
}

Result<bool> HttpStore::rewind(std::string_view tag, std::int64_t from, std::int64_t to,
                               std::string_view by) {
  if (Status status = check_rewind(tag, from, to, by); !status.ok()) return status;
  Status status = change("POST", "/api/v1/tag/rewind",
                         {{"biz_tag", std::string(tag)},
                          {"confirm", std::string(tag)},
                          {"from", std::to_string(from)},
                          {"max_id", std::to_string(to)}},
                         by, Done::kFails);
  const bool elsewhere =
      status.code() == StatusCode::kAlreadyExists || status.code() == StatusCode::kNotFound;
  if (elsewhere) return false;
  if (!status.ok()) return status;
  // The term has other random bits now. Whoever knows the old one stops, but not who has rewound.
  const MutexLock lock(mutex_);
  known_.term = 0;
  return true;
}

Status HttpStore::remove(std::string_view tag, std::string_view by) {
  if (Status status = check_remove(tag, by); !status.ok()) return status;
  return change("DELETE", kTag, {{"biz_tag", std::string(tag)}}, by);
}

}  // namespace

std::unique_ptr<Store> make_http_store(std::shared_ptr<ApiClient> client, RecordedName name) {
  return std::make_unique<HttpStore>(std::move(client), name);
}

Result<std::unique_ptr<Store>> open_http_store(const std::vector<std::string>& addresses,
                                               const HttpStoreOptions& options) {
  Result<std::shared_ptr<ApiClient>> client = ApiClient::open(addresses, options, {});
  if (!client.ok()) return client.status();
  return make_http_store(*std::move(client), RecordedName::kCaller);
}

Result<std::unique_ptr<Store>> open_http_store(std::string_view addresses,
                                               const HttpStoreOptions& options) {
  return open_http_store(split_http_addresses(addresses), options);
}

}  // namespace featherid
