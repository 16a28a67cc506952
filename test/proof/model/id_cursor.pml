/* SPDX-License-Identifier: MIT
 *
 * The protocol of include/featherid/internal/id_cursor.h, as TagState uses it. Two threads claim one id, and one claims
 * a range. One publisher leases, installs its stock, takes back unclaimed ids, takes ids out of them, installs
 * the rest again, and finally closes for good and gives the rest back. Covers all interleavings. A step is one
 * access to shared memory and the thread's own work after it. Checks that no id is claimed twice, after it was
 * taken out of the stock or given back, or without a lease.
 *
 * Spin's memory is sequentially consistent; litmus/ checks the code's orders.
 * The fork epoch is constant in a process, so it is left out. Each lease begins where the one before ended, as
 * it does if nobody else leases: then claims past an end run through the ids of the next segment.
 * claim() retries if another claim came in between. Here it is one try, which is equivalent to any later one.
 *
 * MUTATION 1: the limit is written before the word is closed.
 * MUTATION 2: the word is not closed while the limit is written.
 * MUTATION 3: the tail is read from the word before it is closed, without an exchange.
 * MUTATION 4: only part of the returned ids goes in again, so that an end goes back.
 * MUTATION 5: the limit is read after the claim.
 * MUTATION 6: a range is claimed by a plain store, without compare-and-swap.
 */
#ifndef MUTATION
#define MUTATION 0
#endif
#define INSTALLS 3   /* by the publisher, which then closes */
#define LEASE 2      /* ids in one */
#define IDS 10       /* more than INSTALLS * LEASE */
#define CLOSED 100   /* above every limit, with room for the claims from a closed word */

byte word = CLOSED;
byte limit = 0;

/* State for the checks. */
bool gone[IDS];
byte leased_to = 1;  /* the first id that was not leased */

inline take(id) {
  assert(1 <= (id) && (id) < leased_to);
  assert(!gone[id]);
  gone[id] = true
}

/* claim_one() */
proctype Claimant() {
  byte my_limit, my_word;
  my_limit = limit;
  atomic { my_word = word; word++ };
#if MUTATION == 5
  my_limit = limit;
#endif
  atomic {
    if
    :: my_word < my_limit -> take(my_word)
    :: else
    fi
  }
}

/* claim(1, 2) */
proctype RangeClaimant() {
  byte my_limit, my_word, count;
  my_limit = limit;
  my_word = word;
  if
  :: my_word < my_limit ->
    count = (my_limit - my_word > 1 -> 2 : 1);
    atomic {
      if
      :: word == my_word || MUTATION == 6 ->
        word = my_word + count;
        do
        :: count > 0 -> count--; take(my_word + count)
        :: else -> break
        od
      :: else
      fi
    }
  :: else
  fi
}

/* replace({}) and what TagState does with the tail, then replace(the stock from stock_first on). */
proctype Publisher() {
  byte installs = 0;
  byte end = 0, stock_first = 1, last, next_end;
  do
  :: installs < INSTALLS ->
    installs++;
#if MUTATION == 1
    limit = leased_to + LEASE;
#endif
#if MUTATION == 2
    last = word;
#elif MUTATION == 3
    last = word;
    word = CLOSED;
#else
    atomic { last = word; word = CLOSED };
#endif
    atomic {
      if
      :: last < CLOSED -> stock_first = (last < end -> last : end)
      :: else
      fi;
      if  /* a caller takes an id that waits in stock */
      :: stock_first < leased_to -> take(stock_first); stock_first++
      :: true
      fi;
      if  /* a lease has come in, or has not */
      :: leased_to = leased_to + LEASE
      :: stock_first < leased_to && MUTATION != 1
      fi;
      next_end = leased_to;
#if MUTATION == 4
      if
      :: next_end = stock_first + 1
      :: true
      fi;
#endif
      end = next_end
    };
    limit = end;
    word = stock_first;
    stock_first = end
  :: else -> break
  od;
  atomic { last = word; word = CLOSED };
  atomic {
    if
    :: last < CLOSED -> stock_first = (last < end -> last : end)
    :: else
    fi;
    do
    :: stock_first < leased_to -> take(stock_first); stock_first++
    :: else -> break
    od
  }
}

init {
  atomic {
    run Claimant();
    run Claimant();
    run RangeClaimant();
    run Publisher()
  }
}
