// SPDX-License-Identifier: MIT
#include "test/system/campaign/client.h"

#include <utility>

namespace featherid::campaign {

Client::Client(std::unique_ptr<Asker> asker, const std::atomic<Address>& address,
               std::vector<std::string> tags, std::uint16_t thread, std::uint64_t seed)
    : asker_(std::move(asker)),
      address_(address),
      tags_(std::move(tags)),
      thread_(thread),
      tags_served_us_(tags_.size()),
      random_(seed) {
  asking_ = std::thread([this] { run(); });
}

void Client::stop() {
  stopping_ = true;
  if (asking_.joinable()) asking_.join();
}

void Client::run() {
  for (Pace pace; !stopping_; pace.wait()) ask(address_);
}

void Client::ask(Address address) {
  const Question question = next_question(random_, tags_.size());
  Note note{now_us(),     0, 0, 0, Note::kError, static_cast<std::uint8_t>(question.tag), thread_,
            address.life, 0};
  Asker::Answer answer;
  if (address.port != 0) answer = asker_->ask(address, question, tags_[question.tag]);
  note.at_us = now_us();
  if (answer.ids.empty()) {
    note.code = answer.code;
    return notes_.push_back(note);
  }
  served_us_ = tags_served_us_[question.tag] = note.at_us;
  note.period = answer.period;
  for (const IdRange range : answer.ids) {
    note.kind = note.kind == Note::kError ? Note::kIds : Note::kMoreIds;
    note.first = range.first;
    note.end = range.end;
    notes_.push_back(note);
  }
}

}  // namespace featherid::campaign
