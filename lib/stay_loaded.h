// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_STAY_LOADED_H_
#define FEATHERID_LIB_STAY_LOADED_H_

#include <dlfcn.h>

namespace featherid {

// Keeps dlclose() from unloading the module that this is compiled into, a plugin with FeatherID
// inside or FeatherID's own library: a thread that is left behind in a call, of a store or of a
// driver, comes back to code that must be there. For a constructor at load: a thread could not wait
// for the loader's lock, which a static initialiser in dlopen() has that may wait for the thread.
inline void stay_loaded() {
  Dl_info module{};
  if (::dladdr(reinterpret_cast<const void*>(&stay_loaded), &module) == 0) return;
  // In the program itself it finds nothing, and nothing is needed.
  static_cast<void>(::dlopen(module.dli_fname, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE));
}

}  // namespace featherid

#endif  // FEATHERID_LIB_STAY_LOADED_H_
