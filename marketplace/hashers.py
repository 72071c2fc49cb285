"""Password hashing."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class OwaspArgon2PasswordHasher(Argon2PasswordHasher):
    """Argon2id with OWASP's minimum: 19 MiB, 2 iterations, 1 thread.

    Django's own 100 MiB a hash would let a few simultaneous sign-ups outgrow everything else in a worker.
    https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html#argon2id
    """

    time_cost = 2
    memory_cost = 19 * 1024  # KiB
    parallelism = 1
