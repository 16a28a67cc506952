// SPDX-License-Identifier: MIT
#include <hiredis/hiredis.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "test/system/campaign/client.h"

namespace featherid::campaign {

namespace {

// The HTTP status for the same error: the notes know only these.
std::uint16_t status_of(const std::string& error) {
  const std::pair<const char*, std::uint16_t> statuses[] = {
      {"NOTAG ", 404},   {"EXHAUSTED ", 409},   {"DATALOSS ", 409},
      {"TIMEOUT ", 504}, {"UNAVAILABLE ", 503}, {"BUSY ", 503}};
  for (const auto& [word, status] : statuses) {
    if (error.rfind(word, 0) == 0) return status;
  }
  return 400;
}

// One id is INCR, a batch is a pipeline of them, and a range is INCRBY.
class RedisAsker final : public Asker {
 public:
  Answer ask(Address address, const Question& question, const std::string& tag) override {
    if (!context_ || context_->err != 0 || address.life != life_) connect(address);
    if (!context_ || context_->err != 0) return {};
    const bool range = question.kind == Question::kRange;
    const std::int64_t commands = range ? 1 : question.count_ids;
    for (std::int64_t i = 0; i < commands; ++i) {
      range ? redisAppendCommand(context_.get(), "INCRBY %s %lld", tag.c_str(),
                                 static_cast<long long>(question.count_ids))
            : redisAppendCommand(context_.get(), "INCR %s", tag.c_str());
    }
    Answer answer;
    for (std::int64_t i = 0; i < commands; ++i) {
      if (!read(range ? question.count_ids : 1, &answer)) break;
    }
    return answer;
  }

 private:
  struct Free {
    void operator()(redisContext* context) const { redisFree(context); }
    void operator()(redisReply* reply) const { freeReplyObject(reply); }
  };

  void connect(Address address) {
    const timeval timeout{std::chrono::seconds(kTimeout).count(), 0};
    context_.reset(redisConnectWithTimeout("127.0.0.1", address.port, timeout));
    if (context_) redisSetTimeout(context_.get(), timeout);
    life_ = address.life;
  }

  // False if the connection has ended.
  bool read(std::int64_t count_ids, Answer* answer) {
    void* raw = nullptr;
    if (redisGetReply(context_.get(), &raw) != REDIS_OK) return false;
    const std::unique_ptr<redisReply, Free> reply(static_cast<redisReply*>(raw));
    if (reply->type == REDIS_REPLY_INTEGER) {
      const IdRange ids{reply->integer - count_ids + 1, reply->integer + 1};
      const bool follows = !answer->ids.empty() && answer->ids.back().end == ids.first;
      follows ? void(answer->ids.back().end = ids.end) : answer->ids.push_back(ids);
    } else {
      answer->code = status_of({reply->str, static_cast<std::size_t>(reply->len)});
    }
    return true;
  }

  std::unique_ptr<redisContext, Free> context_;
  std::uint16_t life_ = 0;
};

}  // namespace

std::unique_ptr<Asker> make_redis_asker() { return std::make_unique<RedisAsker>(); }

}  // namespace featherid::campaign
