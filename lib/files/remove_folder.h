#pragma once

#include "lib/files/exclusive.h"

namespace zeroshelf {

// Removes an empty folder; errno, 0 when it is gone. File systems of programs (FUSE) and of a
// network (NFS) keep a removed file under a hidden name until its last close has arrived there:
// while a folder holds nothing else, up to two seconds are waited for that. Threads: any.
int remove_folder(const Place& folder);

}  // namespace zeroshelf
