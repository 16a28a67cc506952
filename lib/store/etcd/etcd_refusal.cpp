// SPDX-License-Identifier: MIT
#include "lib/store/etcd/etcd_refusal.h"

#include <nlohmann/json.hpp>

namespace featherid {

namespace {

// Of gRPC.
enum GrpcCode {
  kNone = 0,
  kInvalidArgument = 3,
  kPermissionDenied = 7,
  kResourceExhausted = 8,
  kUnimplemented = 12,
  kUnauthenticated = 16,
};

struct Refused {
  int code = kNone;  // kNone: it is not etcd that answers
  std::string words;

  bool says(const char* text) const { return words.find(text) != std::string::npos; }
};

Refused read(const HttpAnswer& answer) {
  const nlohmann::json body = nlohmann::json::parse(answer.body, nullptr, false);
  if (!body.is_object()) return {};
  Refused refused;
  const auto code = body.find("code");
  if (code != body.end() && code->is_number_integer()) refused.code = code->get<int>();
  for (const char* name : {"error", "message"}) {
    const auto words = body.find(name);
    if (words != body.end() && words->is_string()) refused.words = words->get<std::string>();
  }
  return refused;
}

Status needs(std::string text) { return {StatusCode::kFailedPrecondition, std::move(text)}; }

}  // namespace

Status cannot_serve(const HttpAnswer& answer, const std::string& url) {
  const Refused refused = read(answer);
  if (answer.status < 500 && refused.code != kResourceExhausted) return {};
  if (refused.code == kUnimplemented) return {};
  const std::string says =
      url + " answers: " +
      (refused.words.empty() ? "status " + std::to_string(answer.status) : refused.words);
  if (refused.says("corrupt cluster")) {
    return {StatusCode::kDataLoss,
            says +
                ", so members differ, and one of them may have granted ids that others grant "
                "again; replace the damaged member, run: etcdctl alarm disarm, advance every "
                "tag past the ids ever handed out (featherid advance TAG ID), and restart every "
                "process"};
  }
  const bool full = refused.says("space exceeded");
  const char* const hint =
      full ? "; compact its history, defragment each member, and run: etcdctl alarm disarm" : "";
  return {StatusCode::kUnavailable, says + hint};
}

bool proves_undone(const HttpAnswer& answer) {
  const Refused refused = read(answer);
  return answer.status != 200 &&
         (refused.says("not supported for learner") || refused.says("too many requests"));
}

EtcdRefusal refusal_of(const HttpAnswer& answer, const std::string& url) {
  if (answer.status == 200) return {};
  if (Status fails = cannot_serve(answer, url); !fails.ok()) return {fails};
  const Refused refused = read(answer);
  const bool expired = refused.code == kUnauthenticated || refused.says("revision of auth store");
  const std::string says = url + " answers: " + refused.words;
  if (expired) return {needs(says + "; check the login in the URL"), true};
  if (refused.says("user name is empty")) {
    return {needs(says + "; the cluster requires a login: write USER:PASSWORD@ before the members "
                         "in the URL"),
            true};
  }
  if (refused.says("authentication failed")) {
    return {needs(says + "; check user and password in the URL, or in its file")};
  }
  if (refused.code == kPermissionDenied) {
    return {needs(says + "; grant the user's role the rights: etcdctl role grant-permission ROLE "
                         "readwrite PREFIX/ --prefix")};
  }
  if (refused.code == kNone || refused.code == kUnimplemented) {
    return {needs(url + " answers with status " + std::to_string(answer.status) +
                  ", and not as the JSON gateway of etcd 3.4 or later; check the address, and "
                  "that --enable-grpc-gateway is not off")};
  }
  return {needs(says)};
}

}  // namespace featherid
