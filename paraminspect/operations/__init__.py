"""Operations: from trees to trees and to records."""
