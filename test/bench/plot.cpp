// SPDX-License-Identifier: MIT
#include "test/bench/plot.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <numeric>
#include <stdexcept>
#include <utility>

namespace featherid::bench {

namespace {

// The page, in pixels. The names of the lines are to the right of the frame.
constexpr double kWidth = 860;
constexpr double kHeight = 460;
constexpr double kLeft = 70;
constexpr double kRight = 560;
constexpr double kTop = 50;
constexpr double kBottom = 400;
constexpr double kLabelHeight = 18;

// Distinct even without colour vision (the palette of Okabe and Ito).
const char* const kColours[] = {"#999999", "#009e73", "#000000", "#0072b2",
                                "#56b4e9", "#d55e00", "#e69f00", "#cc79a7"};

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else {
      out += c;
    }
  }
  return out;
}

void draw_text(std::ostream& out, Plot::Point at, const std::string& attributes,
               const std::string& text) {
  out << "<text x=\"" << at.x << "\" y=\"" << at.y << "\" " << attributes << ">" << escaped(text)
      << "</text>\n";
}

void draw_rule(std::ostream& out, Plot::Point from, Plot::Point to) {
  out << "<line x1=\"" << from.x << "\" y1=\"" << from.y << "\" x2=\"" << to.x << "\" y2=\"" << to.y
      << "\" stroke=\"#dddddd\"/>\n";
}

std::string plain(double value) {
  std::string text = std::to_string(value);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

// A power of ten on the axis, short enough for the place beside it.
std::string short_power(double value) {
  const std::pair<double, const char*> units[] = {{1e9, "G"}, {1e6, "M"}, {1e3, "k"}};
  for (const auto& [unit, name] : units) {
    if (value >= std::max(unit, 1e4)) return plain(value / unit) + name;
  }
  return plain(value);
}

}  // namespace

Plot::Plot(std::string title, std::string x_label, std::string y_label)
    : title_(std::move(title)), x_label_(std::move(x_label)), y_label_(std::move(y_label)) {}

void Plot::add(std::string name, std::vector<Point> points) {
  for (const Point point : points) {
    x_max_ = std::max(x_max_, point.x);
    y_min_ = std::min(y_min_, std::pow(10, std::floor(std::log10(point.y))));
    y_max_ = std::max(y_max_, std::pow(10, std::ceil(std::log10(point.y))));
  }
  lines_.push_back({std::move(name), std::move(points)});
}

Plot::Point Plot::place(Point value) const {
  const double right = std::log(value.x) / std::max(std::log(x_max_), 1e-9);
  const double up = std::log(value.y / y_min_) / std::max(std::log(y_max_ / y_min_), 1e-9);
  return {kLeft + right * (kRight - kLeft), kBottom - up * (kBottom - kTop)};
}

void Plot::draw_axes(std::ostream& out) const {
  const auto decades = static_cast<int>(std::lround(std::log10(y_max_ / y_min_)));
  for (int decade = 0; decade <= decades; ++decade) {
    const double y = y_min_ * std::pow(10, decade);
    const Point at = place({1, y});
    draw_rule(out, at, {kRight, at.y});
    draw_text(out, {kLeft - 8, at.y + 4}, "text-anchor=\"end\"", short_power(y));
  }
  for (const Point& point : lines_.front().points) {
    const Point at = place({point.x, y_min_});
    draw_rule(out, at, {at.x, kTop});
    draw_text(out, {at.x, kBottom + 20}, "text-anchor=\"middle\"", plain(point.x));
  }
  draw_text(out, {(kLeft + kRight) / 2, kBottom + 44}, "text-anchor=\"middle\"", x_label_);
  const double middle = (kTop + kBottom) / 2;
  draw_text(out, {20, middle},
            "text-anchor=\"middle\" transform=\"rotate(-90 20 " + plain(middle) + ")\"", y_label_);
  draw_text(out, {kLeft, 28}, "font-size=\"16\" font-weight=\"bold\"", title_);
}

// The names' places: beside the last point of their line, moved down if two would overlap.
std::vector<double> Plot::label_heights() const {
  std::vector<double> heights;
  for (const Line& line : lines_) heights.push_back(place(line.points.back()).y);
  std::vector<std::size_t> order(lines_.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return heights[a] < heights[b]; });
  double free_from = kTop;
  for (const std::size_t index : order) {
    heights[index] = std::max(heights[index], free_from);
    free_from = heights[index] + kLabelHeight;
  }
  return heights;
}

void Plot::draw_line(std::ostream& out, std::size_t index, double label_y) const {
  const Line& line = lines_[index];
  const std::string colour = kColours[index % std::size(kColours)];
  const bool colour_again = index >= std::size(kColours);
  out << "<polyline fill=\"none\" stroke=\"" << colour << "\" stroke-width=\"2\""
      << (colour_again ? " stroke-dasharray=\"6 4\"" : "") << " points=\"";
  for (const Point point : line.points) out << place(point).x << ',' << place(point).y << ' ';
  out << "\"/>\n";
  for (const Point point : line.points) {
    out << "<circle cx=\"" << place(point).x << "\" cy=\"" << place(point).y
        << "\" r=\"3.5\" fill=\"" << colour << "\"/>\n";
  }
  draw_text(out, {kRight + 14, label_y + 4}, "fill=\"" + colour + "\"", line.name);
}

void Plot::write(const std::string& file) const {
  std::ofstream out(file);
  out << "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" << kWidth << "\" height=\"" << kHeight
      << "\" viewBox=\"0 0 " << kWidth << ' ' << kHeight
      << "\" font-family=\"sans-serif\" font-size=\"13\">\n"
      << "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n";
  draw_axes(out);
  const std::vector<double> heights = label_heights();
  for (std::size_t i = 0; i < lines_.size(); ++i) draw_line(out, i, heights[i]);
  out << "</svg>\n";
  out.close();
  if (!out) throw std::runtime_error("cannot write " + file);
}

}  // namespace featherid::bench
