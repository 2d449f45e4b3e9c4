namespace Millstream.Tests.House;

internal static class Say
{
    /// <summary>Fails with one line for each fault.</summary>
    public static void None(IEnumerable<string> faults)
    {
        string[] all = [.. faults];
        if (all.Length > 0)
            Assert.Fail(string.Join('\n', all));
    }
}
