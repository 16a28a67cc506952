// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_BASE_STAY_LOADED_H_
#define FEATHERID_LIB_BASE_STAY_LOADED_H_

#include <dlfcn.h>

namespace featherid {

// Keeps dlclose() from unloading the module that contains this address. In the program itself this
// finds nothing, and nothing is needed.
inline void keep_loaded(const void* address) {
  Dl_info module{};
  if (::dladdr(address, &module) == 0) return;
  static_cast<void>(::dlopen(module.dli_fname, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE));
}

// The same for the module that this is compiled into, FeatherID's own library or a plugin that
// contains it. A thread left behind in a call of a store or driver returns to this code, so it must
// still be there. Call it in a constructor at load time. A thread must not wait for the loader's
// lock: a static initialiser in dlopen() holds it, and may wait for the thread.
inline void stay_loaded() { keep_loaded(reinterpret_cast<const void*>(&stay_loaded)); }

}  // namespace featherid

#endif  // FEATHERID_LIB_BASE_STAY_LOADED_H_
