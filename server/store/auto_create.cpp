// SPDX-License-Identifier: MIT
#include "server/store/auto_create.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <deque>
#include <sstream>
#include <utility>

#include "lib/base/mutex.h"
#include "lib/store/store_arguments.h"
#include "server/log/json.h"
#include "server/store/cap.h"

namespace featherid {

namespace {

constexpr std::chrono::minutes kWindow{1};
constexpr std::chrono::seconds kCountAgainAfter{10};  // the rows of a table that is full

class AutoCreateStore final : public SegmentStore {
 public:
  AutoCreateStore(std::shared_ptr<Store> store, AutoCreateOptions options, LogCallback log,
                  std::shared_ptr<const Clock> clock)
      : store_(std::move(store)),
        options_(std::move(options)),
        log_(std::move(log)),
        clock_(std::move(clock)) {}

  Result<IdRange> lease(std::string_view tag, LeaseSize size) override {
    return or_create(tag, [&] { return store_->lease(tag, size); });
  }
  // Only tags that exist have periods.
  Result<IdRange> lease_in_period(std::string_view tag, const Period& period,
                                  LeaseSize size) override {
    return store_->lease_in_period(tag, period, size);
  }
  Result<SegmentRow> find(std::string_view tag) override {
    return or_create(tag, [&] { return store_->find(tag); });
  }
  Result<bool> give_back(std::string_view tag, IdRange tail) override {
    return store_->give_back(tag, tail);
  }
  Result<TagChanges> changes(std::int64_t version) override { return store_->changes(version); }

 private:
  // One creation in progress. It counts as made until it is known that nothing was.
  class Attempt {
   public:
    explicit Attempt(AutoCreateStore& store) : store_(store), refused_(store.begin()) {}
    ~Attempt() {
      if (refused_.empty()) store_.end(made_);
    }
    Attempt(const Attempt&) = delete;
    Attempt& operator=(const Attempt&) = delete;

    const std::string& refused() const { return refused_; }  // why; empty: it was not
    void made_nothing() { made_ = false; }

   private:
    AutoCreateStore& store_;
    const std::string refused_;
    bool made_ = true;
  };

  template <typename Call>
  auto or_create(std::string_view tag, Call call) -> decltype(call()) {
    auto answer = call();
    if (answer.status().code() != StatusCode::kNotFound) return answer;
    for (const AutoCreateRule& rule : options_.rules) {
      if (!matches(rule.pattern, tag)) continue;
      const Status created = create(tag, rule);
      if (!created.ok() && created.code() != StatusCode::kNotFound) return created;
      // Also after a refusal: another process may have created the tag since the first call.
      auto again = call();
      if (!created.ok() && again.status().code() == StatusCode::kNotFound) return created;
      return again;
    }
    return answer;
  }

  // OK: the tag exists now.
  Status create(std::string_view tag, const AutoCreateRule& rule) {
    const auto not_created = [tag](const std::string& reason) {
      return Status(StatusCode::kNotFound, "no such tag '" + std::string(tag) +
                                               "', and it is not created automatically: " + reason);
    };
    Attempt attempt(*this);
    if (!attempt.refused().empty()) return not_created(attempt.refused());
    const Result<std::vector<TagInfo>> rows = store_->list();
    if (!rows.ok() || is_full(rows->size())) {
      attempt.made_nothing();
      return rows.ok() ? not_created(full()) : rows.status();
    }
    NewTag wanted(rule.step);
    wanted.options.cap = rule.cap;
    wanted.automatic = true;
    wanted.by = "auto-create";
    Status created = store_->create(tag, wanted);
    if (created.ok()) {
      log_created(tag, rule);
      return created;
    }
    if (created.code() == StatusCode::kUnavailable) return created;  // it may have been made
    attempt.made_nothing();
    if (created.code() == StatusCode::kAlreadyExists) return {};
    return not_created(created.message());
  }

  void log_created(std::string_view tag, const AutoCreateRule& rule) const {
    if (!log_) return;
    log_(LogLevel::kInfo, "auto-create made tag " + json_string(tag) + " by the pattern " +
                              json_string(rule.pattern) + ", with step " +
                              std::to_string(rule.step) + " and cap " +
                              (rule.cap < kIdMax ? std::to_string(rule.cap) : "none"));
  }

  std::string full() const {
    return "there are " + std::to_string(options_.tags_max) +
           " tags already (auto-create-tags-max)";
  }

  // Why nothing may be created now; empty: a creation has begun.
  std::string begin() EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    const TimePoint now = clock_->now();
    while (!made_at_.empty() && now - made_at_.front() >= kWindow) made_at_.pop_front();
    if (now < full_until_) return full();
    if (made_at_.size() >= static_cast<std::size_t>(options_.per_minute_max)) {
      return std::to_string(options_.per_minute_max) +
             " tags were created in the last minute (auto-create-per-minute)";
    }
    made_at_.push_back(now);
    ++creating_;
    return "";
  }

  // The creations in progress count as rows.
  bool is_full(std::size_t rows) EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    const auto others = static_cast<std::size_t>(creating_ - 1);
    const bool full = rows + others >= static_cast<std::size_t>(options_.tags_max);
    if (full) full_until_ = clock_->now() + kCountAgainAfter;
    return full;
  }

  void end(bool made) EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    --creating_;
    if (!made && !made_at_.empty()) made_at_.pop_back();
  }

  const std::shared_ptr<Store> store_;
  const AutoCreateOptions options_;
  const LogCallback log_;
  const std::shared_ptr<const Clock> clock_;

  Mutex mutex_;
  std::deque<TimePoint> made_at_ GUARDED_BY(mutex_);  // in the last minute
  int creating_ GUARDED_BY(mutex_) = 0;
  TimePoint full_until_ GUARDED_BY(mutex_){};
};

Status bad_rule(const std::string& rule, const std::string& what) {
  return {StatusCode::kInvalidArgument,
          "'" + rule + "' is not PATTERN[:STEP[:CAP]], such as shop-*:1000:int32: " + what};
}

Result<AutoCreateRule> parse_rule(const std::string& text) {
  const std::size_t first = std::min(text.find(':'), text.size());
  const std::size_t second =
      std::min(text.find(':', std::min(first + 1, text.size())), text.size());
  AutoCreateRule rule;
  rule.pattern = text.substr(0, first);
  if (rule.pattern.empty()) return bad_rule(text, "the pattern is empty");
  if (Status bad = check_text("the pattern", rule.pattern); !bad.ok()) {
    return bad_rule(text, bad.message());
  }
  if (first < text.size()) {
    const char* const end = text.data() + second;
    const auto [stop, error] = std::from_chars(text.data() + first + 1, end, rule.step);
    if (error != std::errc() || stop != end || rule.step < 1 || rule.step > kStepMax) {
      return bad_rule(text, "the step must be a number from 1 to " + std::to_string(kStepMax));
    }
  }
  if (second < text.size()) {
    const Result<std::int64_t> cap = parse_cap(text.substr(second + 1));
    if (!cap.ok()) return bad_rule(text, cap.status().message());
    rule.cap = *cap;
  }
  return rule;
}

}  // namespace

Result<std::vector<AutoCreateRule>> parse_auto_create(const std::string& text) {
  std::istringstream words(text);
  std::vector<AutoCreateRule> rules;
  for (std::string word; words >> word;) {
    Result<AutoCreateRule> rule = parse_rule(word);
    if (!rule.ok()) return rule.status();
    rules.push_back(*std::move(rule));
  }
  return rules;
}

// After a mismatch, the last star takes one more character.
bool matches(std::string_view pattern, std::string_view text) {
  std::size_t at = 0;
  std::size_t star = std::string_view::npos;
  std::size_t after_star = 0;  // where the text that follows the star's begins
  for (std::size_t i = 0; i < text.size();) {
    if (at < pattern.size() && pattern[at] == '*') {
      star = at++;
      after_star = i;
    } else if (at < pattern.size() && pattern[at] == text[i]) {
      ++at;
      ++i;
    } else if (star != std::string_view::npos) {
      at = star + 1;
      i = ++after_star;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', at) == std::string_view::npos;
}

std::shared_ptr<SegmentStore> with_auto_create(std::shared_ptr<Store> store,
                                               AutoCreateOptions options, LogCallback log,
                                               std::shared_ptr<const Clock> clock) {
  if (options.rules.empty()) return store;
  return std::make_shared<AutoCreateStore>(std::move(store), std::move(options), std::move(log),
                                           std::move(clock));
}

}  // namespace featherid
