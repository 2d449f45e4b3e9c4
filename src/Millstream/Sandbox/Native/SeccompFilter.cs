namespace Millstream;

internal static class SeccompFilter
{
    public static byte[]? Program => null;
}
