// SPDX-License-Identifier: MIT
#ifndef FEATHERID_INTERNAL_EXPORT_H_
#define FEATHERID_INTERNAL_EXPORT_H_

// Marks the symbols that the shared library exports. All others are hidden (-fvisibility=hidden).
#if defined(__GNUC__)
#define FEATHERID_EXPORT [[gnu::visibility("default")]]
// For a private class inside an exported one.
#define FEATHERID_LOCAL [[gnu::visibility("hidden")]]
#define FEATHERID_COLD [[gnu::cold, gnu::noinline]]
// A condition that the compiler may assume to be true. If it is false, behaviour is undefined.
#define FEATHERID_ASSUME(condition) ((condition) ? void() : __builtin_unreachable())
#else
#define FEATHERID_EXPORT
#define FEATHERID_LOCAL
#define FEATHERID_COLD
#define FEATHERID_ASSUME(condition) void()
#endif

#endif  // FEATHERID_INTERNAL_EXPORT_H_
