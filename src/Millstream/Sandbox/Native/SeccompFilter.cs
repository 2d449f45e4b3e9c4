using System.Runtime.InteropServices;

namespace Millstream;

/// <summary>
/// The system calls that a command is kept from: those that make set-uid and set-gid files, which on a write mount would outlive the
/// sandbox on the host, and those that reach what no namespace holds (keyrings) or that go round this filter (io_uring, openat2).
/// </summary>
internal static class SeccompFilter
{
    private const ushort LoadWord = 0x20, JumpIfEqual = 0x15, JumpIfAtLeast = 0x35, JumpIfAnyBit = 0x45, Return = 0x06;
    private const uint Allow = 0x7fff0000, RefuseEperm = 0x00050001, RefuseEnosys = 0x00050026;
    private const uint SetIdBits = 0xC00, CreatesFile = 0x400040;
    private const uint NumberOffset = 0, ArchitectureOffset = 4, X32Numbers = 0x40000000;

    private static readonly Lazy<byte[]?> s_program = new(() => RuntimeInformation.ProcessArchitecture switch
    {
        Architecture.X64 => Make(0xC000003E, [248, 249, 250], [(90, 1), (91, 1), (268, 2), (452, 2), (85, 1), (133, 1), (259, 2)], [(2, 1), (257, 2)]),
        Architecture.Arm64 => Make(0xC00000B7, [217, 218, 219], [(52, 1), (53, 2), (452, 2), (33, 2)], [(56, 2)]),
        _ => null,
    });

    /// <summary>The filter as the kernel reads it; null for a machine whose numbers are not known here.</summary>
    public static byte[]? Program => s_program.Value;

    // keys: refused always. modes: (call, which argument is a mode). opens: (call, which argument are flags; the mode is the next).
    private static byte[] Make(uint architecture, uint[] keys, (uint Call, uint Argument)[] modes, (uint Call, uint Argument)[] opens)
    {
        Builder code = new();
        code.Add(LoadWord, ArchitectureOffset);
        code.Add(JumpIfEqual, architecture, 1, 0);
        code.Add(Return, RefuseEnosys);
        code.Add(LoadWord, NumberOffset);
        // On x86-64 a second table of the same calls lies here.
        code.Add(JumpIfAtLeast, X32Numbers, 0, 1);
        code.Add(Return, RefuseEnosys);
        foreach (uint key in keys)
            code.Refuse(key, RefuseEperm);
        // As on a kernel without them: programs fall back.
        foreach (uint call in new uint[] { 425, 426, 427, 437 })
            code.Refuse(call, RefuseEnosys);
        foreach ((uint call, uint argument) in modes)
        {
            code.Add(JumpIfEqual, call, 0, 4);
            code.AddModeCheck(argument);
        }
        foreach ((uint call, uint argument) in opens)
        {
            code.Add(JumpIfEqual, call, 0, 7);
            code.Add(LoadWord, Argument(argument));
            // Without these flags the mode is whatever the register held.
            code.Add(JumpIfAnyBit, CreatesFile, 1, 0);
            code.Add(Return, Allow);
            code.AddModeCheck(argument + 1);
        }
        code.Add(Return, Allow);
        return code.ToArray();
    }

    // The lower half of an argument, on the little-endian machines that are known here.
    private static uint Argument(uint index) => 16 + 8 * index;

    private sealed class Builder
    {
        private readonly List<byte> _bytes = [];

        public void Add(ushort code, uint value, byte ifTrue = 0, byte ifFalse = 0) =>
            _bytes.AddRange([(byte)code, (byte)(code >> 8), ifTrue, ifFalse, .. BitConverter.GetBytes(value)]);

        public void Refuse(uint call, uint answer)
        {
            Add(JumpIfEqual, call, 0, 1);
            Add(Return, answer);
        }

        // Four instructions that end the filter.
        public void AddModeCheck(uint argument)
        {
            Add(LoadWord, Argument(argument));
            Add(JumpIfAnyBit, SetIdBits, 0, 1);
            Add(Return, RefuseEperm);
            Add(Return, Allow);
        }

        public byte[] ToArray() => [.. _bytes];
    }
}
