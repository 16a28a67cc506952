// SPDX-License-Identifier: MIT
// featherid_bench_peers [--quick] [--folder FOLDER] [--url NAME=URL]... [PART|PEER]...   compares
// FeatherID with other ways to get ids: prints the figures of these parts and peers, or of all, and
// writes tables and plots to FOLDER.
#include <algorithm>
#include <exception>
#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

#include "test/bench/peer_list.h"
#include "test/bench/peer_report.h"
#include "test/bench/peer_trials.h"
#include "test/bench/wrk.h"

namespace featherid::bench {

namespace {

const std::vector<std::string> kParts = {"load", "outage", "kill"};

struct Options {
  std::vector<std::string> parts;
  std::vector<std::string> peers;
  std::vector<std::string> urls;
  std::string folder = ".";
  std::vector<int> clients = {1, 2, 4, 16, 256, 1000};
  std::chrono::milliseconds duration{1200};
  std::chrono::milliseconds outage{10'000};

  bool has(const std::string& part) const {
    return parts.empty() || std::find(parts.begin(), parts.end(), part) != parts.end();
  }
};

bool contains(const std::vector<std::string>& list, const std::string& text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

Options options_of(const std::vector<std::string>& arguments) {
  Options options;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    const bool has_value = i + 1 < arguments.size();
    if (argument == "--quick") {
      options.clients = {1, 2, 4, 16};
      options.duration = std::chrono::milliseconds(300);
      options.outage = std::chrono::milliseconds(2000);
    } else if (argument == "--folder" && has_value) {
      options.folder = arguments[++i];
    } else if (argument == "--url" && has_value) {
      options.urls.push_back(arguments[++i]);
    } else if (contains(kParts, argument)) {
      options.parts.push_back(argument);
    } else if (contains(PeerList::names(), argument)) {
      options.peers.push_back(argument);
    } else {
      std::string text = "'" + argument + "' is no part and no peer; there are:";
      for (const std::string& part : kParts) text += " " + part;
      for (const std::string& peer : PeerList::names()) text += " " + peer;
      throw std::invalid_argument(text);
    }
  }
  if (options.peers.empty() && options.urls.empty()) options.peers = PeerList::names();
  return options;
}

void measure_losses(const Peer& peer, std::chrono::milliseconds duration, PeerResults* results) {
  for (const Part& part : peer.parts) {
    std::cerr << peer.name << ": kill -9 of its " << part.name << '\n';
    results->losses[{peer.name, part.name}] = measure_kill(peer, part, duration);
  }
  if (!peer.local.empty() && peer.counts) {
    std::cerr << peer.name << ": kill -9 of the application\n";
    results->losses[{peer.name, "application"}] = measure_application_kill(peer, duration);
  }
}

// All loads first, because a part that kills a database leaves it with cold memory.
PeerResults measure(const Options& options) {
  PeerList list;
  std::vector<Peer> peers;
  for (const std::string& name : options.peers) peers.push_back(list.open(name));
  for (const std::string& url : options.urls) peers.push_back(PeerList::at_url(url));
  PeerResults results;
  for (const Peer& peer : peers) results.peers.emplace_back(peer.name, peer.what);
  for (const Peer& peer : peers) {
    if (!options.has("load")) break;
    for (const int clients : options.clients) {
      if (clients > peer.clients_max) continue;
      std::cerr << peer.name << ": " << clients << " clients\n";
      results.loads[{peer.name, clients}] = load(peer, clients, options.duration);
    }
  }
  for (const Peer& peer : peers) {
    if (!options.has("outage") || peer.parts.empty() || peer.same_outage) continue;
    std::cerr << peer.name << ": its database is down\n";
    results.outages[peer.name] = measure_outage(peer, options.outage);
  }
  for (const Peer& peer : peers) {
    if (options.has("kill")) measure_losses(peer, options.duration, &results);
  }
  return results;
}

int run_main(const std::vector<std::string>& arguments) {
  if (!arguments.empty() && arguments.front() == "application") {
    run_application({arguments.begin() + 1, arguments.end()});
  }
  prepare_process();
  try {
    const Options options = options_of(arguments);
    const PeerResults results = measure(options);
    print_peers(results);
    write_peers(results, options.folder);
  } catch (const std::invalid_argument& e) {
    std::cerr << "featherid_bench_peers: " << e.what() << '\n';
    return 2;
  } catch (const std::exception& e) {
    std::cerr << "featherid_bench_peers: " << e.what() << '\n';
    return 1;
  }
  return 0;
}

}  // namespace

}  // namespace featherid::bench

int main(int argc, char** argv) { return featherid::bench::run_main({argv + 1, argv + argc}); }
