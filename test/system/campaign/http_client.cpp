// SPDX-License-Identifier: MIT
#include "test/system/campaign/http_client.h"

#include <httplib.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

namespace featherid::campaign {

namespace {

// Longer than the server needs for any answer.
constexpr std::chrono::seconds kAnswerTimeout{4};

std::string target_of(const Question& question, const std::string& tag) {
  const std::string count = "&count=" + std::to_string(question.count_ids);
  switch (question.kind) {
    case Question::kOne:
      return "/api/v1/id?biz_tag=" + tag;
    case Question::kBatch:
      return "/api/v1/id/batch?biz_tag=" + tag + count;
    case Question::kRange:
      return "/api/v1/id/range?biz_tag=" + tag + count;
  }
  return "";
}

}  // namespace

// To the server's current life.
class HttpClient::Connection {
 public:
  httplib::Result get(Address address, const std::string& target) {
    if (!client_ || address.life != life_) {
      client_.emplace("127.0.0.1", address.port);
      client_->set_keep_alive(true);
      client_->set_tcp_nodelay(true);
      client_->set_connection_timeout(kAnswerTimeout);
      client_->set_read_timeout(kAnswerTimeout);
      life_ = address.life;
    }
    return client_->Get(target);
  }

 private:
  std::optional<httplib::Client> client_;
  std::uint16_t life_ = 0;
};

HttpClient::HttpClient(const std::atomic<Address>& address, std::vector<std::string> tags,
                       std::uint16_t thread, std::uint64_t seed)
    : address_(address), tags_(std::move(tags)), thread_(thread), random_(seed) {
  asking_ = std::thread([this] { run(); });
}

void HttpClient::stop() {
  stopping_ = true;
  if (asking_.joinable()) asking_.join();
}

void HttpClient::run() {
  Connection connection;
  for (Pace pace; !stopping_; pace.wait()) ask(connection, address_);
}

void HttpClient::ask(Connection& connection, Address address) {
  const Question question = next_question(random_, tags_.size());
  Note note{now_us(),     0, 0, 0, Note::kError, static_cast<std::uint8_t>(question.tag), thread_,
            address.life, 0};
  if (address.port != 0) {
    const httplib::Result answer =
        connection.get(address, target_of(question, tags_[question.tag]));
    if (answer && answer->status == 200) return note_ids(note, answer->body);
    if (answer) note.code = static_cast<std::uint16_t>(answer->status);
  }
  note.at_us = now_us();
  notes_.push_back(note);
}

void HttpClient::note_ids(Note note, const std::string& body) {
  note.at_us = now_us();
  served_us_ = note.at_us;
  const auto add = [&](std::int64_t first, std::int64_t end) {
    note.kind = note.kind == Note::kError ? Note::kIds : Note::kMoreIds;
    note.first = first;
    note.end = end;
    notes_.push_back(note);
  };
  const nlohmann::json data = nlohmann::json::parse(body).at("data");
  if (data.is_number()) return add(data, data.get<std::int64_t>() + 1);
  for (std::size_t i = 0; i < data.size();) {
    if (data[i].is_object()) {
      add(data[i].at("first"), data[i].at("last").get<std::int64_t>() + 1);
      ++i;
      continue;
    }
    const auto first = data[i].get<std::int64_t>();
    std::int64_t end = first;
    for (; i < data.size() && data[i] == end; ++i) ++end;
    add(first, end);
  }
}

}  // namespace featherid::campaign
