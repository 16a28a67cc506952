// SPDX-License-Identifier: MIT
#include "test/proof/fuzz/gate_properties.h"

#include <strings.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "server/http/query.h"
#include "server/http/reply.h"
#include "server/http/request_gate.h"
#include "server/http/router.h"
#include "server/log/json.h"

namespace featherid::test {

namespace {

using Kind = GateVerdict::Kind;

// Thrown with what is broken; broken_property() turns it into its answer.
struct Broken {
  std::string what;
};

void require(bool holds, const std::string& what) {
  if (!holds) throw Broken{what};
}

// Every part of a request by name; so two of them can be told apart in words.
std::vector<std::pair<const char*, std::string_view>> parts_of(const HttpRequest& request) {
  return {{"method", request.method},
          {"path", request.path},
          {"query", request.query},
          {"body", request.body},
          {"host", request.host},
          {"authorization", request.authorization},
          {"content_type", request.content_type},
          {"origin", request.origin},
          {"traceparent", request.traceparent},
          {"user_agent", request.user_agent}};
}

void require_same_parts(const HttpRequest& a, const HttpRequest& b, const std::string& where) {
  const auto parts = parts_of(a);
  const auto others = parts_of(b);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    require(parts[i].second == others[i].second, where + " changes " + parts[i].first);
  }
}

void require_same_verdict(const GateVerdict& a, const GateVerdict& b, const std::string& where) {
  require(a.kind == b.kind, where + " changes the kind of the verdict");
  require(a.status == b.status, where + " changes the status");
  require(std::string_view(a.reason) == b.reason, where + " changes the reason");
  require(a.length_bytes == b.length_bytes, where + " changes the length");
  require_same_parts(a.request, b.request, where);
  require(a.request.keep_alive == b.request.keep_alive &&
              a.request.via_proxy == b.request.via_proxy &&
              a.request.cross_site == b.request.cross_site,
          where + " changes a flag");
}

// --- the verdict does not depend on how the bytes were split ---

// All places to cut a short input. For a long one: the first line ends, the places where later
// limits are passed, and a sample.
std::vector<std::size_t> cuts_of(std::string_view bytes) {
  const std::size_t stride = bytes.size() <= 300 ? 1 : bytes.size() / 50;
  int line_ends = 0;
  std::vector<std::size_t> cuts;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const bool line_end = bytes[i] == '\r' || bytes[i] == '\n';
    if (i % stride == 0) cuts.push_back(i);
    if (!line_end || ++line_ends >= 100) continue;
    for (const std::size_t limit : {std::size_t{0}, kHeaderLineBytesMax, kHeaderSectionBytesMax}) {
      for (std::size_t more = 0; more < 4; ++more) cuts.push_back(i + limit + more);
    }
  }
  const auto beyond = [&bytes](std::size_t cut) { return cut >= bytes.size(); };
  cuts.erase(std::remove_if(cuts.begin(), cuts.end(), beyond), cuts.end());
  return cuts;
}

void check_cuts(std::string_view bytes, const GateVerdict& whole) {
  for (const std::size_t cut : cuts_of(bytes)) {
    const GateVerdict part = inspect_request(bytes.substr(0, cut));
    if (part.kind == Kind::kNeedMore) {
      require(whole.kind != Kind::kRequest || cut < whole.length_bytes, "a whole request waits");
      continue;
    }
    require_same_verdict(part, whole, "the rest after byte " + std::to_string(cut));
  }
}

// --- an accepted head, read again in the simplest way ---

bool is(std::string_view name, std::string_view other) {
  return name.size() == other.size() && ::strncasecmp(name.data(), other.data(), name.size()) == 0;
}

// `host` is the header's, or none.
void check_target(std::string_view target, std::string_view host, const HttpRequest& request) {
  require(request.path.substr(0, 1) == "/", "the path does not begin with /");
  require(request.path.find_first_of("?# ") == std::string_view::npos, "a path with ? or #");
  const auto is_target = [&](const std::string& before_query) {
    const std::string with_query = before_query + "?" + std::string(request.query);
    return target == with_query || (request.query.empty() && target == before_query);
  };
  const std::string path(request.path);
  if (target.substr(0, 1) == "/") {
    require(is_target(path), "path and query are not the target");
    return require(request.host == host, "the host is not the header's");
  }
  if (target == "*") {
    require(request.method == "OPTIONS" && path == "/" && request.query.empty(), "a wrong *");
    return require(request.host == host, "the host is not the header's");
  }
  const std::string scheme(target.substr(0, target.find(':') + 3));
  require(is(scheme, "http://") || is(scheme, "https://"), "a scheme that is not HTTP's");
  const std::string origin = scheme + std::string(request.host);
  require(is_target(origin + path) || (path == "/" && is_target(origin)),
          "host, path and query are not the target");
  require(!request.host.empty() && request.host.front() != ':', "a target without a host");
  require(request.host.find_first_of("@/\\") == std::string_view::npos, "more than a host");
}

void check_header_line(std::string_view line, std::vector<std::string_view>* hosts,
                       std::string_view* length) {
  const std::size_t colon = line.find(':');
  require(colon != std::string_view::npos && colon > 0, "a header line without a name");
  const std::string_view name = line.substr(0, colon);
  require(name.find_first_of(" \t\"(),/;<=>?@[\\]{}") == std::string_view::npos,
          "a separator in a header's name");
  require(std::all_of(name.begin(), name.end(), [](char c) { return c > 0x20 && c < 0x7f; }),
          "a header's name is not ASCII");
  require(!is(name, "Transfer-Encoding"), "Transfer-Encoding passes");
  require(!is(name, "Content-Encoding"), "Content-Encoding passes");
  if (is(name, "Host")) {
    std::string_view value = line.substr(colon + 1);
    value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
    hosts->push_back(value.substr(0, value.find_last_not_of(" \t") + 1));
  }
  if (is(name, "Content-Length")) {
    require(length->data() == nullptr, "Content-Length twice");
    *length = line.substr(colon + 1);
  }
}

void check_head(std::string_view head, const HttpRequest& request) {
  for (std::size_t i = 0; i < head.size(); ++i) {
    const auto c = static_cast<unsigned char>(head[i]);
    if (c == '\r') require(i + 1 < head.size() && head[i + 1] == '\n', "a lone CR passes");
    if (c == '\n') require(i > 0 && head[i - 1] == '\r', "a lone LF passes");
    require(c >= 0x20 || c == '\r' || c == '\n' || c == '\t', "a control character passes");
    require(c != 0x7f, "DEL passes");
  }
  const std::size_t end = head.find("\r\n\r\n");
  require(end != std::string_view::npos && end + 4 == head.size(), "the head ends elsewhere");

  const std::size_t first_end = head.find("\r\n");
  const std::string_view first = head.substr(0, first_end);
  require(std::count(first.begin(), first.end(), ' ') == 2, "not two spaces in the request line");
  require(first.find('\t') == std::string_view::npos, "a tab in the request line");

  std::vector<std::string_view> hosts;
  std::string_view length;
  int headers = 0;
  for (std::size_t at = first_end + 2; at < head.size() - 2; ++headers) {
    const std::size_t line_end = head.find("\r\n", at);
    check_header_line(head.substr(at, line_end - at), &hosts, &length);
    at = line_end + 2;
  }
  require(headers <= kHeadersMax, "too many headers pass");
  require(hosts.size() <= 1, "Host is given twice");
  require(hosts.size() == 1 || first.substr(first.size() - 3) == "1.0", "Host is missing");
  const std::size_t target_begin = first.find(' ') + 1;
  check_target(first.substr(target_begin, first.rfind(' ') - target_begin),
               hosts.empty() ? std::string_view() : hosts.front(), request);
  const std::size_t digits = std::min(length.find_first_not_of(" \t"), length.size());
  const std::string body_size(length.substr(digits, length.find_last_not_of(" \t") + 1 - digits));
  require(
      std::all_of(body_size.begin(), body_size.end(), [](char c) { return c >= '0' && c <= '9'; }),
      "Content-Length is no number");
  require(request.body.size() == (body_size.empty() ? 0 : std::stoul(body_size)),
          "the body is not as long as Content-Length says");
}

// --- query and answer ---

std::string percent_encoded(std::string_view text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    encoded += {'%', kHex[byte >> 4], kHex[byte & 15]};
  }
  return encoded;
}

void check_query(std::string_view text) {
  const Result<Query> query = Query::parse(text);
  if (!query.ok()) return require(!query.status().message().empty(), "a refusal without a reason");
  const std::string* value = query->find("text");
  if (value == nullptr) return;
  const Result<Query> again = Query::parse("text=" + percent_encoded(*value));
  require(again.ok() && *again->find("text") == *value, "a value does not survive its encoding");
}

// Says what it was asked for, so that every byte of a query can come to lie in an answer.
const Router& echo_router() {
  static const Router router = [] {
    Router made;
    made.get("/", Effect::kNone, [](Exchange& exchange) {
      const std::string* text = exchange.query.find("text");
      if (text == nullptr) return exchange.reply.fail(404, ApiCode::kNoSuchTag, "no text");
      exchange.reply.succeed(json_string(*text));
    });
    return made;
  }();
  return router;
}

constexpr std::string_view kDate = "Sun, 06 Nov 1994 08:49:37 GMT";

void check_answer(std::string_view answer, std::string_view method, bool close) {
  const std::size_t end = answer.find("\r\n\r\n");
  require(end != std::string_view::npos, "an answer without an end of its head");
  const std::string lines(answer.substr(0, end + 2));
  const std::string_view body = answer.substr(end + 4);
  require(lines.compare(0, 9, "HTTP/1.1 ") == 0, "an answer without a status line");
  for (const char c : lines) {
    require((c >= 0x20 && c < 0x7f) || c == '\r' || c == '\n', "a foreign byte in a head");
  }
  for (std::size_t at = lines.find("\r\n") + 2; at < lines.size();) {
    const std::string name = lines.substr(at, lines.find(':', at) - at);
    require(name == "Cache-Control" || name == "Content-Type" || name == "Content-Length" ||
                name == "Connection" || name == "Allow" || name == "Date" ||
                name == "Retry-After" || name == "X-Request-Id",
            "an unexpected header: " + name);
    at = lines.find("\r\n", at) + 2;
  }
  require(lines.find("\r\nCache-Control: no-store\r\n") != std::string::npos,
          "a cache may keep the answer");
  require(lines.find("\r\nDate: " + std::string(kDate) + "\r\n") != std::string::npos,
          "an answer without its date");
  require((lines.find("\r\nConnection: close\r\n") != std::string::npos) == close,
          "the answer does not say whether the connection ends");
  if (method == "HEAD") return require(body.empty(), "an answer to HEAD has a body");
  require(lines.find("\r\nContent-Length: " + std::to_string(body.size()) + "\r\n") !=
              std::string::npos,
          "Content-Length is not the body's");
  const bool may_be_empty = method == "OPTIONS";
  require((may_be_empty && body.empty()) || nlohmann::json::accept(body), "the body is not JSON");
}

void check_reply(const HttpRequest& request) {
  Exchange exchange(request, true, {});
  exchange.reply.request_number = 7;
  exchange.reply.date = kDate;
  echo_router().serve(exchange);
  std::string answer;
  append_response(exchange.reply, request.method == "HEAD", !request.keep_alive, &answer);
  check_answer(answer, request.method, !request.keep_alive);
}

}  // namespace

std::string broken_property(std::string_view bytes) {
  const GateVerdict verdict = inspect_request(bytes);
  try {
    check_cuts(bytes, verdict);
    switch (verdict.kind) {
      case Kind::kNeedMore:
        require(bytes.size() <= kRequestBytesMax, "more than the most is asked for");
        break;
      case Kind::kReject:
        require(verdict.status >= 400 && verdict.status < 600, "a rejection without its status");
        require(*verdict.reason != '\0', "a rejection without a reason");
        break;
      case Kind::kRequest: {
        const HttpRequest& request = verdict.request;
        require(verdict.length_bytes <= std::min(bytes.size(), kRequestBytesMax), "the length");
        require_same_verdict(inspect_request(bytes.substr(0, verdict.length_bytes)), verdict,
                             "what follows");
        check_head(bytes.substr(0, verdict.length_bytes - request.body.size()), request);
        check_query(request.query);
        check_reply(request);
        break;
      }
    }
  } catch (const Broken& broken) {
    return broken.what;
  }
  return {};
}

}  // namespace featherid::test
